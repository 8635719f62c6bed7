# The objects of testdata/cluster, in the order in which make-testdata creates
# them: jq -nc --slurpfile made DIGESTS -f cluster.jq
#
# Beside fields of Kubernetes: `_owner` is the API path of the object that shall
# own this one, `_id` of a container is the imageID that kwok reports for it
# (`_ids` by node), `_since` of a template the time that the dump shall show.
# `lift` turns the latter three into annotations, which the dump does not keep.
# What has `_release` is created by Helm, as a part of that release's chart.

$made[0] as $images |

# --- what runs: the digests that imageIDs name -------------------------------

def top($id): $images[$id].digest // error("no image \($id)");
def child($id; $platform): $images[$id].platforms[$platform].manifest // error("no \($platform) in \($id)");
def config($id; $platform): $images[$id].platforms[$platform].config // error("no \($platform) in \($id)");

# --- pods --------------------------------------------------------------------

def c($name; $image; $id): {name: $name, image: $image, _id: $id};

def ids: [.containers[]?, .initContainers[]?, ._ephemeral[]?]
  | map({key: "testbed.provenance/image-id.\(.name)", value: ._id},
        (.name as $name | ._ids // {} | to_entries[]
          | {key: "testbed.provenance/image-id.\($name).\(.key)", value: .value}))
  | map(select(.value != null)) | from_entries;

# A pod template, or the metadata and spec of a pod.
def lift($app; $since; $annotations):
  ids as $ids
  | {
      metadata: {
        labels: {"app.kubernetes.io/name": $app},
        annotations: ($ids + {"testbed.provenance/since": $since} + $annotations)
      },
      spec: (del(._ephemeral) | (.containers[], .initContainers[]?) |= del(._id, ._ids))
    };
def lift($app; $since): lift($app; $since; {});

def on($pool): .nodeSelector = {"node.example.com/pool": $pool};
def on($pool; $arch): on($pool) | .nodeSelector["kubernetes.io/arch"] = $arch;
def pull_secret: .imagePullSecrets = [{name: "registry-credentials"}];
def never: .restartPolicy = "Never";

# --- workloads ---------------------------------------------------------------

def object($api; $kind; $namespace; $name; $spec):
  {apiVersion: $api, kind: $kind,
   metadata: {name: $name, namespace: $namespace, labels: {"app.kubernetes.io/name": $name}},
   spec: $spec};

def selector: {matchLabels: {"app.kubernetes.io/name": .metadata.labels["app.kubernetes.io/name"]}};

def deployment($namespace; $name; $replicas; $template):
  object("apps/v1"; "Deployment"; $namespace; $name;
    {replicas: $replicas, selector: ($template | selector), template: $template,
     strategy: {type: "RollingUpdate", rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}});
def statefulset($namespace; $name; $replicas; $template):
  object("apps/v1"; "StatefulSet"; $namespace; $name;
    {replicas: $replicas, serviceName: $name, selector: ($template | selector), template: $template});
def daemonset($namespace; $name; $template):
  object("apps/v1"; "DaemonSet"; $namespace; $name; {selector: ($template | selector), template: $template});
def job($namespace; $name; $template):
  object("batch/v1"; "Job"; $namespace; $name; {backoffLimit: 2, template: $template});
def cronjob($namespace; $name; $schedule; $template):
  object("batch/v1"; "CronJob"; $namespace; $name;
    {schedule: $schedule, concurrencyPolicy: "Forbid", jobTemplate: {spec: {backoffLimit: 2, template: $template}}});
def pod($namespace; $name; $lifted):
  object("v1"; "Pod"; $namespace; $name; $lifted.spec)
  | .metadata += ($lifted.metadata | {annotations, labels});

# --- cluster -----------------------------------------------------------------

def namespace($name; $labels): {apiVersion: "v1", kind: "Namespace", metadata: {name: $name, labels: $labels}};

def node($name; $pool; $architecture; $address; $os; $runtime; $kubelet):
  {
    apiVersion: "v1", kind: "Node",
    metadata: {
      name: $name,
      annotations: {"kwok.x-k8s.io/node": "fake"},
      labels: {
        "kubernetes.io/arch": $architecture, "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": $name, "node.example.com/pool": $pool
      }
    },
    status: (
      {cpu: "16", memory: "64Gi", "ephemeral-storage": "200Gi", pods: "110"} as $capacity
      | {
          addresses: [{type: "InternalIP", address: $address}, {type: "Hostname", address: $name}],
          capacity: $capacity, allocatable: $capacity,
          nodeInfo: {
            architecture: $architecture, operatingSystem: "linux", osImage: $os, kernelVersion: "6.12.43",
            containerRuntimeVersion: $runtime, kubeletVersion: $kubelet, kubeProxyVersion: "",
            machineID: "", systemUUID: "", bootID: ""
          }
        })
  };

def definition($group; $version; $plural; $kind):
  {
    apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition",
    metadata: {name: "\($plural).\($group)"},
    spec: {
      group: $group, scope: "Namespaced",
      names: {plural: $plural, singular: ($kind | ascii_downcase), kind: $kind},
      versions: [{
        name: $version, served: true, storage: true,
        schema: {openAPIV3Schema: {type: "object", "x-kubernetes-preserve-unknown-fields": true}}
      }]
    }
  };

# --- the objects -------------------------------------------------------------

def trixie: "Debian GNU/Linux 13 (trixie)";
def cluster:
  (node("node-control"; "control"; "amd64"; "10.20.0.10"; trixie; "containerd://2.1.5"; "v1.35.4")
    | .metadata.labels["node-role.kubernetes.io/control-plane"] = ""
    | .spec.taints = [{key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule"}]),
  node("node-crio"; "crio"; "amd64"; "10.20.0.13"; "Red Hat Enterprise Linux CoreOS 9.6"; "cri-o://1.35.1"; "v1.35.4"),
  node("node-docker"; "docker"; "amd64"; "10.20.0.14"; "Ubuntu 24.04.3 LTS"; "docker://28.5.1"; "v1.34.2"),
  namespace("shop"; {team: "storefront"}),
  namespace("bank"; {team: "payments", "pod-security.kubernetes.io/enforce": "baseline"}),
  namespace("batch"; {team: "data"}),
  namespace("sandbox"; {}),
  definition("argoproj.io"; "v1alpha1"; "rollouts"; "Rollout"),
  definition("example.com"; "v1"; "widgets"; "Widget"),
  definition("helm.toolkit.fluxcd.io"; "v2"; "helmreleases"; "HelmRelease"),
  definition("source.toolkit.fluxcd.io"; "v1"; "helmrepositories"; "HelmRepository"),
  definition("source.toolkit.fluxcd.io"; "v1"; "ocirepositories"; "OCIRepository");

def shop:
  (deployment("shop"; "web"; 4;
    {
      initContainers: [
        c("wait-for-sessions"; "busybox:1.37"; "docker.io/library/busybox@" + top("library/busybox:1.37")),
        (c("log-shipper"; "mirror.example.net/platform/fluent-bit:3.2.10";
           "mirror.example.net/platform/fluent-bit@" + top("platform/fluent-bit:3.2.10")) | .restartPolicy = "Always")
      ],
      containers: [c("web"; "registry.example.com/shop/web:2.4.1"; "registry.example.com/shop/web@" + top("shop/web:2.4.1"))],
      topologySpreadConstraints: [{
        maxSkew: 1, topologyKey: "kubernetes.io/arch", whenUnsatisfiable: "DoNotSchedule",
        labelSelector: {matchLabels: {"app.kubernetes.io/name": "web"}}
      }]
    } | on("general") | lift("web"; "2026-10-02T07:15:00Z")) | ._release = "web"),

  # CRI-O may report the manifest of the platform, not the index.
  deployment("shop"; "cart"; 3;
    {containers: [c("cart"; "registry.example.com/shop/cart:3.2.0";
                    "registry.example.com/shop/cart@" + child("shop/cart:3.2.0"; "linux/amd64"))]}
    | on("crio") | lift("cart"; "2026-10-09T08:00:00Z")),

  deployment("shop"; "search"; 2;
    {containers: [c("search"; "registry.example.com/shop/search:stable"; "registry.example.com/shop/search@" + top("shop/search-moved"))]}
    | on("general"; "amd64") | lift("search"; "2026-08-20T10:00:00Z")),

  deployment("shop"; "worker"; 1;
    {containers: [c("worker"; "registry.example.com/shop/worker:1.9.3"; "registry.example.com/shop/worker@" + top("shop/worker:1.9.3"))]}
    | on("general"; "amd64") | lift("worker"; "2026-06-12T10:00:00Z")),

  # Never pulled; its model is an image volume.
  deployment("shop"; "recommendations"; 1;
    {
      containers: [c("recommendations"; "registry.example.com/shop/recommendations:2.0.0-rc.1"; null)
                   | .volumeMounts = [{name: "models", mountPath: "/models", readOnly: true}]],
      volumes: [{name: "models", image: {reference: "registry.example.com/shop/models:2026-11", pullPolicy: "IfNotPresent"}}]
    } | on("general"; "arm64")
      | lift("recommendations"; "2026-11-19T09:00:00Z"; {"testbed.provenance/pending": "ImagePullBackOff"})),

  deployment("shop"; "legacy-import"; 0;
    {containers: [c("import"; "registry.example.com/shop/legacy-import:0.9.8"; null)]}
    | lift("legacy-import"; "2025-02-15T09:00:00Z")),

  # The runtime pulled through a mirror: imageID names another repository.
  statefulset("shop"; "sessions"; 2;
    {
      containers: [c("redis"; "redis:7.4"; "mirror.example.net/library/redis@" + top("mirror/redis:7.4.1"))],
      _ephemeral: [c("debugger"; "busybox:1.37"; "docker.io/library/busybox@" + top("library/busybox:1.37"))]
    } | on("general"; "amd64") | lift("sessions"; "2026-09-02T06:00:00Z")),

  # A controller that is not Kubernetes' own, with a ReplicaSet between.
  object("argoproj.io/v1alpha1"; "Rollout"; "shop"; "checkout"; {replicas: 2, strategy: {canary: {steps: [{setWeight: 20}]}}}),
  ({containers: [c("checkout"; "registry.example.com/shop/checkout:1.4.0"; "registry.example.com/shop/checkout@" + top("shop/checkout:1.4.0"))]}
    | on("general"; "amd64") | lift("checkout"; "2026-10-22T12:30:00Z")
    | .metadata.labels["rollouts-pod-template-hash"] = "6c8d9f7b54"
    | . as $template
    | object("apps/v1"; "ReplicaSet"; "shop"; "checkout-6c8d9f7b54";
        {replicas: 2, template: $template, selector: ($template | selector)})
    | .metadata.labels = $template.metadata.labels
    | ._owner = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/checkout"),

  # And one that owns its pods itself.
  object("example.com/v1"; "Widget"; "shop"; "banner"; {color: "orange"}),
  (pod("shop"; "banner-0";
    {containers: [c("banner"; "registry.example.com/shop/banner:0.3.1"; "registry.example.com/shop/banner@" + top("shop/banner:0.3.1"))]}
    | on("general"; "arm64") | lift("banner"; "2026-05-28T08:00:00Z"))
    | ._owner = "/apis/example.com/v1/namespaces/shop/widgets/banner"),

  pod("shop"; "maintenance-page";
    {containers: [c("nginx"; "nginx:1.27"; "docker.io/library/nginx@" + top("library/nginx:1.27.5"))]}
    | on("general"; "arm64") | lift("maintenance-page"; "2026-07-21T17:45:00Z"));

def pay($version; $since):
  {containers: [c("pay"; "registry.example.com/bank/pay:\($version)"; "registry.example.com/bank/pay@" + top("bank/pay:\($version)"))]}
  | pull_secret | on("general"; "amd64") | lift("pay"; $since);

def bank:
  (deployment("bank"; "pay"; 3; pay("5.0.2"; "2026-08-26T06:00:00Z")) | ._release = "pay"),

  (statefulset("bank"; "ledger"; 2;
    {containers: [c("ledger"; "registry.example.com/bank/ledger:3.7.0"; "registry.example.com/bank/ledger@" + top("bank/ledger:3.7.0"))]}
    | pull_secret | on("general"; "arm64") | lift("ledger"; "2026-05-04T05:00:00Z")) | ._release = "ledger"),

  statefulset("bank"; "ledger-db"; 1;
    {containers: [c("postgres"; "docker.io/library/postgres:16.6@" + top("library/postgres:16.6");
                    "docker.io/library/postgres@" + top("library/postgres:16.6"))]}
    | on("general"; "amd64") | lift("ledger-db"; "2026-03-01T05:00:00Z")),

  deployment("bank"; "fraud"; 2;
    {containers: [c("fraud"; "registry.example.com/bank/fraud:0.9"; "registry.example.com/bank/fraud@" + top("bank/fraud-deleted"))]}
    | pull_secret | on("general"; "amd64") | lift("fraud"; "2026-07-16T05:00:00Z")),

  # What cri-dockerd reports: for what was pulled, and for what was loaded.
  deployment("bank"; "gateway"; 2;
    {containers: [c("proxy"; "mirror.example.net/platform/proxy:1.30";
                    "docker-pullable://mirror.example.net/platform/proxy@" + top("platform/proxy-before"))]}
    | on("docker") | lift("gateway"; "2026-08-03T05:00:00Z")),
  deployment("bank"; "audit"; 1;
    {containers: [c("audit"; "registry.example.com/bank/audit:1.2.4"; "docker://" + config("bank/audit:1.2.4"; "linux/amd64"))]}
    | pull_secret | on("docker") | lift("audit"; "2026-03-04T05:00:00Z"));

# A side-loaded image: containerd reports the digest of its configuration.
def report($since):
  {containers: [c("report"; "registry.example.com/batch/report:2026.11.0"; config("batch/report:2026.11.0"; "linux/amd64"))]}
  | never | on("general"; "amd64") | lift("nightly-report"; $since);

def batch:
  (cronjob("batch"; "nightly-report"; "30 2 * * *"; report("2026-11-03T09:00:00Z")) | ._release = "nightly-report"),
  (job("batch"; "nightly-report-29398230"; report("2026-11-24T02:30:00Z"))
    | .metadata.annotations["testbed.provenance/since"] = "2026-11-24T02:30:00Z"
    | ._owner = "/apis/batch/v1/namespaces/batch/cronjobs/nightly-report"),
  (cronjob("batch"; "cleanup"; "0 4 * * 0";
    {containers: [c("cleanup"; "registry.example.com/batch/cleanup:1.3.0"; null)]}
    | never | lift("cleanup"; "2026-10-11T09:00:00Z")) | .spec.suspend = true),
  job("batch"; "cleanup-by-hand";
    {containers: [c("cleanup"; "registry.example.com/batch/cleanup:1.2.0"; "registry.example.com/batch/cleanup@" + top("batch/cleanup:1.2.0"))]}
    | never | on("general"; "amd64") | lift("cleanup-by-hand"; "2026-11-23T20:00:00Z")),
  job("batch"; "import-2026-11";
    {containers: [c("importer"; "registry.example.com/batch/importer:4.0.1"; "registry.example.com/batch/importer@" + top("batch/importer:4.0.1"))]}
    | never | on("general"; "arm64") | lift("import-2026-11"; "2026-11-01T01:00:00Z"; {"testbed.provenance/complete": "true"}));

def everywhere: [{operator: "Exists"}];
def kubernetes($name; $version): "mirror.example.net/kubernetes/\($name)@" + top("kubernetes/\($name):\($version)");

def system:
  daemonset("kube-system"; "kube-proxy";
    {
      hostNetwork: true, tolerations: everywhere, priorityClassName: "system-node-critical",
      containers: [
        c("kube-proxy"; "mirror.example.net/kubernetes/kube-proxy:v1.35.4"; kubernetes("kube-proxy"; "v1.35.4"))
        | ._ids = {
            "node-crio": ("mirror.example.net/kubernetes/kube-proxy@" + child("kubernetes/kube-proxy:v1.35.4"; "linux/amd64")),
            "node-docker": ("docker-pullable://" + kubernetes("kube-proxy"; "v1.35.4"))
          }
      ]
    } | lift("kube-proxy"; "2026-10-15T04:00:00Z")),

  deployment("kube-system"; "coredns"; 2;
    {
      priorityClassName: "system-cluster-critical",
      containers: [c("coredns"; "mirror.example.net/kubernetes/coredns:v1.12.4"; kubernetes("coredns"; "v1.12.4"))]
    } | on("general"; "arm64") | lift("coredns"; "2026-10-15T04:00:00Z")),

  # What the kubelet mirrors of a manifest in its folder.
  (pod("kube-system"; "kube-apiserver-node-control";
    {
      hostNetwork: true, tolerations: everywhere, priorityClassName: "system-node-critical",
      nodeName: "node-control", enableServiceLinks: false,
      containers: [c("kube-apiserver"; "mirror.example.net/kubernetes/kube-apiserver:v1.35.4"; kubernetes("kube-apiserver"; "v1.35.4"))]
    } | lift("kube-apiserver"; "2026-10-15T04:00:00Z"; {
          "kubernetes.io/config.hash": "5b7f3c0d9a1e4f62b8c7d6e5f4a3b2c1",
          "kubernetes.io/config.mirror": "5b7f3c0d9a1e4f62b8c7d6e5f4a3b2c1",
          "kubernetes.io/config.seen": "2026-10-15T04:00:00.000000000Z",
          "kubernetes.io/config.source": "file"
        }))
    | ._owner = "/api/v1/nodes/node-control");

# --- Helm --------------------------------------------------------------------

# All versions of a chart, as a registry or a repository has them. What a release
# is made of comes from the objects that name it; the others hold nothing.
def chart($name; $where; $versions):
  $versions | to_entries[] | {name: $name, where: $where, version: .key, appVersion: .value};
def charts:
  chart("web"; "registry"; {"1.3.0": "2.3.0", "1.4.0": "2.4.1", "1.5.0": "2.5.0"}),
  chart("pay"; "repository"; {"2.0.0": "5.0.2", "2.1.0": "5.1.0", "2.1.1": "5.1.0"}),
  chart("ledger"; "repository"; {"1.1.0": "3.6.0", "1.2.0": "3.7.0"}),
  chart("report"; "nowhere"; {"0.4.0": "2026.11.0"});

# The revisions in the order in which they are made: `since` is the time that the
# dump shows, `status` what becomes of it.
def revision($tool; $namespace; $name; $chart; $version; $since; objects):
  {tool: $tool, namespace: $namespace, name: $name, chart: $chart, version: $version, since: $since,
   status: "deployed", objects: [objects]};
def releases($workloads):
  def of($name): $workloads[] | select(._release == $name) | del(._release);
  revision("helm3"; "bank"; "ledger"; "ledger"; "1.2.0"; "2026-05-04T05:00:00Z"; of("ledger")),
  revision("helm"; "bank"; "pay"; "pay"; "2.0.0"; "2026-08-26T06:00:00Z"; of("pay")),
  revision("helm"; "shop"; "web"; "web"; "1.3.0"; "2026-07-03T07:15:00Z"; empty),
  revision("helm"; "shop"; "web"; "web"; "1.4.0"; "2026-10-02T07:15:00Z"; of("web")),
  revision("helm3"; "batch"; "nightly-report"; "report"; "0.4.0"; "2026-11-03T09:00:00Z"; of("nightly-report"));

# Who says where charts come from. Of nightly-report's nobody does.
def flux:
  object("source.toolkit.fluxcd.io/v1"; "HelmRepository"; "bank"; "company"; {interval: "1h", url: "https://charts.example.com"}),
  object("source.toolkit.fluxcd.io/v1"; "OCIRepository"; "shop"; "web";
    {interval: "1h", url: "oci://registry.example.com/charts/web", ref: {semver: "1.4.x"}}),
  object("helm.toolkit.fluxcd.io/v2"; "HelmRelease"; "shop"; "web";
    {interval: "10m", chartRef: {kind: "OCIRepository", name: "web"}}),
  (("ledger", "pay") as $name
    | object("helm.toolkit.fluxcd.io/v2"; "HelmRelease"; "bank"; $name;
        {interval: "10m", chart: {spec: {chart: $name, sourceRef: {kind: "HelmRepository", name: "company"}}}}));

# What make-testdata does to them afterwards: `method`, `path`, and the body.
def patch($path; $body): {_patch: $path, body: $body};
def later:
  patch("/api/v1/namespaces/shop/pods/sessions-0/ephemeralcontainers";
    {spec: {ephemeralContainers: [{name: "debugger", image: "busybox:1.37", targetContainerName: "redis"}]}});
# And by Helm: the new pods are never ready for long enough, so the roll-out stays
# halfway and the upgrade fails.
def upgrades:
  revision("helm"; "bank"; "pay"; "pay"; "2.1.0"; "2026-11-24T05:30:00Z";
    deployment("bank"; "pay"; 3; pay("5.1.0"; "2026-11-24T05:30:00Z")) | .spec.minReadySeconds = 500)
  | .status = "failed";

[shop, bank, batch, system] as $workloads
| {
    cluster: [cluster, flux],
    workloads: ($workloads | map(select(._release == null))),
    charts: [charts], releases: [releases($workloads)],
    later: [later], upgrades: [upgrades]
  }
