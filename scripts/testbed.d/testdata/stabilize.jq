# From the API server's lists (slurped, in the order of `kubectl get`) to
# testdata/cluster/dump.json. What differs from one making to the next is
# replaced by something that follows from names alone, so that making the
# testdata anew changes only what changed: uids, random suffixes of names, times,
# pod addresses, container ids, resource versions. What only the testbed put
# there is left out. All else is as the API server gave it.

# --- pseudo-random text from a seed ------------------------------------------

def number: reduce explode[] as $c (7; (. * 31 + $c) % 67108859);
def draw($alphabet; $n):
  ($alphabet | length) as $size
  | reduce range($n) as $_ ({state: number, text: ""};
      .state = (.state * 16807 + 12345) % 67108859
      | (.state / 7 | floor) as $i
      | .text += $alphabet[($i % $size):($i % $size) + 1])
  | .text;
def hexadecimal($n): draw("0123456789abcdef"; $n);
def uid: . as $seed | [8, 4, 3, 3, 12] | to_entries | map(.key as $k | .value as $n | "\($seed) \($k)" | hexadecimal($n))
    | "\(.[0])-\(.[1])-4\(.[2])-a\(.[3])-\(.[4])";
# The letters and digits that Kubernetes takes for generated names.
def suffix: draw("bcdfghjklmnpqrstvwxz2456789"; 5);

def replace_strings($map): walk(if type == "string" and $map[.] != null then $map[.] else . end);

# --- the steps ---------------------------------------------------------------

def typed_items: map(.apiVersion as $api | (.kind | sub("List$"; "")) as $kind
    | .items[] | {apiVersion: $api, kind: $kind} + .);

def template: .spec.jobTemplate.spec.template // .spec.template // .;
def since:
  .metadata.annotations["testbed.provenance/since"]
  // (template | .metadata.annotations["testbed.provenance/since"]?)
  // "2026-01-12T09:00:00Z";
def one_time: since as $since
  | walk(if type == "string" and test("^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$") then $since else . end);

def without_testbed:
  walk(if type == "object" and has("annotations") and (.annotations | type) == "object" then
         .annotations |= with_entries(select(.key | test("^(testbed.provenance/|kwok.x-k8s.io/)") | not))
         | if .annotations == {} then del(.annotations) else . end
       else . end)
  | del(.metadata.managedFields)
  | if .kind == "Node" then del(.status.phase, .metadata.labels["node.kubernetes.io/instance-type"]) else . end;

# Pods in an order that does not depend on their random names, and what their
# names become.
def pod_names:
  map(select(.kind == "Pod" and .metadata.generateName != null))
  | group_by([.metadata.namespace, .metadata.generateName])
  | map(sort_by([.spec.nodeName, (.metadata.name | if test("-[0-9]+$") then . else "" end)]) | to_entries[]
        | .key as $n | .value.metadata
        | select(.name | test("-[0-9]+$") | not)
        | {key: .name, value: (.generateName + ("\(.namespace)/\(.generateName) \($n)" | suffix))})
  | from_entries;

def uids: map(
    (.metadata | {key: .uid, value: null}) + {value: ("\(.kind) \(.metadata.namespace) \(.metadata.name)" | uid)},
    (.metadata.ownerReferences[]? as $owner | {key: $owner.uid, value: ("\($owner.kind) \(.metadata.namespace // "") \($owner.name)" | uid)}))
  | from_entries;

# Addresses and ids of a pod. hostNetwork keeps its node's address; an id names
# the node's runtime (kwok does not know it).
def pod_details($number; $runtimes):
  . as $pod
  | if .spec.hostNetwork or .status.podIP == null then .
    else "10.244.\($number / 200 | floor).\($number % 200 + 10)" as $ip | .status.podIP = $ip | .status.podIPs = [{ip: $ip}] end
  | (.status.containerStatuses, .status.initContainerStatuses, .status.ephemeralContainerStatuses) |= (
      if . == null then . else map(
        if .containerID == null then . else
          ("\($runtimes[$pod.spec.nodeName])://" + ("\($pod.metadata.uid) \(.name)" | hexadecimal(64))) as $id
          | .containerID = $id
          | if .state.terminated.containerID? then .state.terminated.containerID = $id else . end
        end) end)
  | .status |= with_entries(select(.value != null))
  | ("\(.metadata.namespace)/\(.metadata.name)" | suffix) as $suffix
  | walk(if type == "string" then sub("^kube-api-access-[a-z0-9]{5}$"; "kube-api-access-" + $suffix) else . end);

typed_items
| (map(select(.kind == "Node") | {key: .metadata.name, value: (.status.nodeInfo.containerRuntimeVersion | split(":")[0])})
    | from_entries) as $runtimes
| replace_strings(pod_names)
| replace_strings(uids)
| map(one_time | without_testbed)
| [.[].kind] as $kinds
| ($kinds | unique | map({key: ., value: (. as $k | $kinds | index($k))}) | from_entries) as $rank
| sort_by($rank[.kind], .metadata.namespace // "", .metadata.name)
| to_entries | map(.key as $n | .value
    | .metadata.resourceVersion = "\(2001 + $n * 7)"
    | if .kind == "Pod" then pod_details($n; $runtimes) else . end)
| {apiVersion: "v1", kind: "List", metadata: {resourceVersion: ""}, items: .}
