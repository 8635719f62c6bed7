# The nodes of the testbed, one JSON object a line: `jq -nc -f nodes.jq`.
# Their status is what the kubelet of such a machine reports.

def quantity: {cpu: "64", memory: "256Gi", "ephemeral-storage": "1Ti", pods: "20000"};

def node($name; $architecture; $address; $os; $runtime):
  {
    apiVersion: "v1", kind: "Node",
    metadata: {
      name: $name,
      annotations: {"kwok.x-k8s.io/node": "fake"},
      labels: {
        "kubernetes.io/arch": $architecture,
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": $name,
        "node.kubernetes.io/instance-type": "testbed"
      }
    },
    status: {
      addresses: [{type: "InternalIP", address: $address}, {type: "Hostname", address: $name}],
      capacity: quantity, allocatable: quantity,
      nodeInfo: {
        architecture: $architecture, operatingSystem: "linux",
        osImage: $os, kernelVersion: "6.12.43", containerRuntimeVersion: $runtime,
        kubeletVersion: "v1.35.4", kubeProxyVersion: "",
        machineID: "", systemUUID: "", bootID: ""
      }
    }
  };

node("node-amd64"; "amd64"; "10.20.0.11"; "Debian GNU/Linux 13 (trixie)"; "containerd://2.1.5"),
node("node-arm64"; "arm64"; "10.20.0.12"; "Debian GNU/Linux 13 (trixie)"; "containerd://2.1.5")
