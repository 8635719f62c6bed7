# Starting and stopping the components; sourced by scripts/testbed, which sets
# here to the directory of this file.
# shellcheck shell=bash
: "${here:?}"

# How long one component may take to become ready, in seconds. It takes 1 to 5
# on an idle machine.
ready_limit=60

# The cluster's address for services; nothing listens there.
service_range=10.96.0.0/16

# Leaves a trap behind that stops what it started when the script ends; who wants
# it to stay up takes the trap away.
start_services() {
    local mask
    need curl jq openssl setsid
    # Keys and tokens lie there.
    mask=$(umask)
    umask 077
    mkdir -p "$1"
    root=$(cd "$1" && pwd)
    mkdir "$root/pids" 2>/dev/null ||
        fail "$root is in use by another testbed (scripts/testbed stop --dir $root)"
    # From here on the processes in that directory are ours.
    trap 'stop_services "$root"' EXIT
    # Somebody else may take a port between our look and the component's bind.
    for _ in 1 2 3; do
        mkdir -p "$root/pids" "$root/logs"
        rm -rf "$root/etcd" "$root/registry" "$root"/logs/*
        if start_all; then
            write_environment
            umask "$mask"
            return
        fi
        stop_services "$root"
        grep -qs 'address already in use' "$root"/logs/* || break
        say "a port was taken meanwhile, trying once more"
    done
    fail "could not start; the logs are in $root/logs"
}

start_all() {
    local started=$SECONDS
    link_components "$root/bin"
    make_credentials || return 1
    [ -z "$sigstore" ] || make_sigstore_credentials || return 1
    choose_ports
    start_etcd
    start_registries
    start_private_registries || return 1
    [ -z "$sigstore" ] || start_sigstore
    await etcd "http://127.0.0.1:$etcd_port/health" || return 1
    start_apiserver
    await kube-apiserver "$apiserver/readyz" || return 1
    start_control_plane
    create_nodes || return 1
    [ -z "$sigstore" ] || start_fulcio || return 1
    await registry "http://127.0.0.1:$registry_port/v2/" || return 1
    await_file oci-registry "$root/oci-registry.address" || return 1
    await_file auth-registry "$root/auth-registry.address" || return 1
    await_private_registries || return 1
    if [ -n "$sigstore" ]; then
        await_sigstore && write_sigstore_roots || return 1
    fi
    await_cluster || return 1
    say "ready after $((SECONDS - started)) s, in $root"
}

# --- processes ---------------------------------------------------------------

# Starts a component in its own session, so that a Ctrl-C on the terminal ends
# the command under test and not what it stands on.
spawn() {
    local name=$1
    shift
    setsid "$@" >"$root/logs/$name.log" 2>&1 </dev/null &
    # The start time tells the process from a later one with the same id.
    printf '%s %s\n' $! "$(start_time $!)" >"$root/pids/$name"
    disown
}

# When a process started, in clock ticks since boot; nothing if it is gone.
start_time() {
    sed -e 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20 || true
}

alive() {
    local pid ticks
    read -r pid ticks <"$root/pids/$1" && [ -n "$ticks" ] && [ "$(start_time "$pid")" = "$ticks" ]
}

stop_services() {
    local file name pid deadline=$((SECONDS + 2)) left
    root=$1
    [ -d "$root/pids" ] || return 0
    for file in "$root"/pids/*; do
        name=${file##*/}
        if [ -e "$file" ] && alive "$name"; then
            read -r pid _ <"$file"
            kill -TERM "$pid" 2>/dev/null || true
        fi
    done
    while :; do
        left=''
        for file in "$root"/pids/*; do
            [ -e "$file" ] && alive "${file##*/}" && left+=" ${file##*/}"
        done
        [ -n "$left" ] || break
        if [ "$SECONDS" -ge "$deadline" ]; then
            # All that they hold is thrown away: no need to wait longer.
            for name in $left; do
                read -r pid _ <"$root/pids/$name"
                kill -KILL "$pid" 2>/dev/null || true
            done
            deadline=$((SECONDS + 5))
        fi
        sleep 0.1
    done
    rm -rf "$root/pids"
}

# --- waiting -----------------------------------------------------------------

# Runs a check again and again until it holds: COMPONENT COMMAND...
wait_until() {
    local name=$1 deadline=$((SECONDS + ready_limit))
    shift
    until "$@"; do
        if ! alive "$name"; then
            say "$name ended; the end of its log:"
        elif [ "$SECONDS" -ge "$deadline" ]; then
            say "$name was not ready after $ready_limit s; the end of its log:"
        else
            sleep 0.1
            continue
        fi
        tail -n 20 "$root/logs/$name.log" >&2
        return 1
    done
}

answers() { curl -fsS --noproxy "*" --max-time 5 --cacert "$root/ca.crt" -o /dev/null "$1" 2>/dev/null; }
await() { wait_until "$1" answers "$2"; }
await_file() { wait_until "$1" test -s "$2"; }

# The API of the cluster as the administrator: PATH [CURL OPTIONS...]
api() {
    local path=$1
    shift
    curl -fsS --noproxy "*" --max-time 10 --cacert "$root/ca.crt" -H "Authorization: Bearer $admin_token" "$@" "$apiserver$path"
}

nodes_usable() {
    api /api/v1/nodes 2>/dev/null | jq -e '
        (.items | length) > 0 and all(.items[]; .spec.taints == null and
            any(.status.conditions[]?; .type == "Ready" and .status == "True"))' >/dev/null
}

default_account_exists() { api /api/v1/namespaces/default/serviceaccounts/default -o /dev/null 2>/dev/null; }

scheduler_is_well() {
    curl -fsSk --noproxy '*' --max-time 5 -o /dev/null "https://127.0.0.1:$scheduler_port/healthz" 2>/dev/null
}

# The controller manager has made the accounts, the scheduler is well, and kwok
# has made the nodes ready.
await_cluster() {
    wait_until kube-controller-manager default_account_exists &&
        wait_until kube-scheduler scheduler_is_well &&
        wait_until kwok nodes_usable
}

# --- what the components need ------------------------------------------------

ports=(etcd_port peer_port apiserver_port controller_port scheduler_port kwok_port registry_port
    basic_port token_port mirror_port rekor_port rekor_grpc_port rekor_metrics_port)
etcd_port='' peer_port='' apiserver_port='' controller_port='' scheduler_port='' kwok_port=''
registry_port='' basic_port='' token_port='' mirror_port=''
rekor_port='' rekor_grpc_port='' rekor_metrics_port=''

# Ports that nobody listens on, from below the range of outgoing connections.
choose_ports() {
    local name port taken=' '
    for name in "${ports[@]}"; do
        while :; do
            port=$((20000 + (RANDOM * 32768 + RANDOM) % 10000))
            [[ $taken != *" $port "* ]] || continue
            (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
        done
        taken+="$port "
        printf -v "$name" %s "$port"
    done
    apiserver=https://127.0.0.1:$apiserver_port
}

make_credentials() {
    (
        cd "$root" || exit
        # A certificate of the authority: NAME EXTENSIONS.
        certificate() {
            key "$1.key"
            openssl req -new -key "$1.key" -subj "/CN=testbed-$1" -out "$1.csr" 2>/dev/null
            # shellcheck disable=SC2059 # the extensions are a format, for their line ends
            openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 \
                -out "$1.crt" -extfile <(printf "$2") 2>/dev/null
        }
        key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1" 2>/dev/null; }
        key ca.key
        openssl req -x509 -new -key ca.key -days 30 -subj /CN=testbed-ca -out ca.crt \
            -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign 2>/dev/null
        key apiserver.key
        openssl req -new -key apiserver.key -subj /CN=kube-apiserver -out apiserver.csr 2>/dev/null
        openssl x509 -req -in apiserver.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out apiserver.crt \
            -extfile <(printf 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc\nextendedKeyUsage=serverAuth\n') 2>/dev/null
        # Of registries, of clients that show who they are, and of who signs tokens.
        certificate registry 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n'
        certificate client 'extendedKeyUsage=clientAuth\n'
        key token.key
        openssl req -x509 -new -key token.key -days 30 -subj /CN=token-server -out token.crt 2>/dev/null
        openssl genrsa -out service-account.key 2048 2>/dev/null
        openssl rsa -in service-account.key -pubout -out service-account.pub 2>/dev/null
    )
    if [ ! -s "$root/client.crt" ] || [ ! -s "$root/token.crt" ] || [ ! -s "$root/apiserver.crt" ] || [ ! -s "$root/service-account.pub" ]; then
        say "openssl could not make the keys and certificates in $root"
        return 1
    fi
    admin_token=$(openssl rand -hex 16)
    auth_password=$(openssl rand -hex 8)
    owner_password=$(openssl rand -hex 8)
    printf '%s,admin,admin,"system:masters"\n' "$admin_token" >"$root/tokens.csv"
}

write_kubeconfig() {
    cat >"$root/kubeconfig" <<END
apiVersion: v1
kind: Config
current-context: testbed
clusters:
- name: testbed
  cluster:
    server: $apiserver
    certificate-authority-data: $(base64 -w0 "$root/ca.crt")
users:
- name: admin
  user:
    token: $admin_token
contexts:
- name: testbed
  context:
    cluster: testbed
    user: admin
END
}

# --- the components ----------------------------------------------------------

start_etcd() {
    local client=http://127.0.0.1:$etcd_port peer=http://127.0.0.1:$peer_port
    spawn etcd "$root/bin/etcd" --data-dir "$root/etcd" --unsafe-no-fsync --log-level warn \
        --listen-client-urls "$client" --advertise-client-urls "$client" \
        --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer"
}

start_apiserver() {
    write_kubeconfig
    # The limit on inflight requests is lifted: tests create thousands of pods.
    spawn kube-apiserver "$root/bin/kube-apiserver" \
        --etcd-servers "http://127.0.0.1:$etcd_port" \
        --bind-address 127.0.0.1 --secure-port "$apiserver_port" --advertise-address 127.0.0.1 \
        --endpoint-reconciler-type none \
        --tls-cert-file "$root/apiserver.crt" --tls-private-key-file "$root/apiserver.key" \
        --authorization-mode Node,RBAC --token-auth-file "$root/tokens.csv" --anonymous-auth=true \
        --service-account-issuer https://kubernetes.default.svc \
        --service-account-key-file "$root/service-account.pub" \
        --service-account-signing-key-file "$root/service-account.key" \
        --service-cluster-ip-range "$service_range" --allow-privileged=true --profiling=false \
        --max-requests-inflight 2000 --max-mutating-requests-inflight 1000 \
        --feature-gates ImageVolume=true
}

start_control_plane() {
    spawn kube-controller-manager "$root/bin/kube-controller-manager" \
        --kubeconfig "$root/kubeconfig" --leader-elect=false \
        --bind-address 127.0.0.1 --secure-port "$controller_port" \
        --service-account-private-key-file "$root/service-account.key" --root-ca-file "$root/ca.crt" \
        --service-cluster-ip-range "$service_range" --kube-api-qps 500 --kube-api-burst 1000
    spawn kube-scheduler "$root/bin/kube-scheduler" \
        --kubeconfig "$root/kubeconfig" --leader-elect=false \
        --bind-address 127.0.0.1 --secure-port "$scheduler_port" --kube-api-qps 500 --kube-api-burst 1000
    # Without a work directory of its own kwok would read ~/.kwok/kwok.yaml.
    spawn kwok env KWOK_WORKDIR="$root/kwok" "$root/bin/kwok" \
        --kubeconfig "$root/kubeconfig" --server-address "127.0.0.1:$kwok_port" \
        --manage-nodes-with-annotation-selector kwok.x-k8s.io/node=fake \
        --config "$here/kwok/nodes.yaml" --config "$here/kwok/pods.yaml"
}

create_nodes() {
    local node
    jq -nc -f "$here/nodes.jq" | while read -r node; do
        api /api/v1/nodes -X POST -H 'Content-Type: application/json' -d "$node" -o /dev/null ||
            return 1
    done
}

start_registries() {
    mkdir -p "$root/registry"
    cat >"$root/registry.yaml" <<END
version: 0.1
log: {level: warn, accesslog: {disabled: false}}
storage:
  filesystem: {rootdirectory: $root/registry}
  delete: {enabled: true}
http: {addr: "127.0.0.1:$registry_port"}
END
    # It would look for a collector of traces.
    spawn registry env OTEL_TRACES_EXPORTER=none "$root/bin/registry" serve "$root/registry.yaml"
    rm -f "$root"/{oci,auth}-registry.{address,requests}
    : >"$root/oci-registry.requests"
    : >"$root/auth-registry.requests"
    spawn oci-registry "$root/bin/oci-registry" \
        --address-file "$root/oci-registry.address" --request-log "$root/oci-registry.requests"
    spawn auth-registry "$root/bin/oci-registry" \
        --address-file "$root/auth-registry.address" --request-log "$root/auth-registry.requests" \
        --token-realm "testbed:$auth_password" --public public/
}

# distribution with a configuration of its own: NAME PORT, the rest of the
# configuration from standard input.
start_distribution() {
    mkdir -p "$root/registry/$1"
    cat >"$root/$1.yaml" <<END
version: 0.1
log: {level: warn, accesslog: {disabled: false}}
storage:
  filesystem: {rootdirectory: $root/registry/$1}
  delete: {enabled: true}
http:
  addr: "127.0.0.1:$2"
END
    cat >>"$root/$1.yaml"
    spawn "$1" env OTEL_TRACES_EXPORTER=none "$root/bin/registry" serve "$root/$1.yaml"
}

# The address in a file by name: crane takes no realm that is a loopback address.
localhost() { sed 's/^127\.0\.0\.1:/localhost:/' "$1"; }

# Registries that do not let everybody in, and what stands before registries.
start_private_registries() {
    local file tls="{certificate: $root/registry.crt, key: $root/registry.key}"
    for file in token-server behind-front front proxy; do
        rm -f "$root/$file.address" && : >"$root/$file.requests"
    done
    printf 'testbed:%s\n' "$auth_password" | "$root/bin/htpasswd" >"$root/basic-registry.htpasswd" || return 1
    start_distribution basic-registry "$basic_port" <<END
  tls: $tls
auth:
  htpasswd: {realm: testbed, path: $root/basic-registry.htpasswd}
END
    spawn token-server "$root/bin/token-server" \
        --address-file "$root/token-server.address" --grants "$root/token-server.requests" \
        --certificate "$root/registry.crt" --key "$root/registry.key" \
        --signing-certificate "$root/token.crt" --signing-key "$root/token.key" \
        --owner "owner:$owner_password" --reader "testbed:$auth_password" \
        --closed closed/ --public public/
    await_file token-server "$root/token-server.address" || return 1
    start_distribution token-registry "$token_port" <<END
  tls: $tls
auth:
  token:
    realm: https://$(localhost "$root/token-server.address")/token
    service: token-registry
    issuer: testbed
    rootcertbundle: $root/token.crt
END
    await_file oci-registry "$root/oci-registry.address" || return 1
    # What is pulled through it is kept; it knows nothing of referrers.
    start_distribution mirror "$mirror_port" <<END
proxy:
  remoteurl: http://$(cat "$root/oci-registry.address")
END
    # One with passwords and the referrers API, behind TLS that wants to see certificates.
    spawn behind-front "$root/bin/oci-registry" \
        --address-file "$root/behind-front.address" --basic "testbed:$auth_password"
    await_file behind-front "$root/behind-front.address" || return 1
    spawn front "$root/bin/tls-front" \
        --address-file "$root/front.address" --request-log "$root/front.requests" \
        --upstream "$(cat "$root/behind-front.address")" \
        --certificate "$root/registry.crt" --key "$root/registry.key" \
        --client-authorities "$root/ca.crt"
    spawn proxy "$root/bin/forward-proxy" \
        --address-file "$root/proxy.address" --request-log "$root/proxy.requests" \
        --account "proxy:$auth_password"
}

# Any answer will do: without credentials it is 401.
listens() { curl -sS --noproxy '*' --max-time 5 --cacert "$root/ca.crt" -o /dev/null "$1" 2>/dev/null; }

await_private_registries() {
    wait_until basic-registry listens "https://127.0.0.1:$basic_port/v2/" &&
        wait_until token-registry listens "https://127.0.0.1:$token_port/v2/" &&
        wait_until mirror listens "http://127.0.0.1:$mirror_port/v2/" &&
        await_file front "$root/front.address" &&
        await_file proxy "$root/proxy.address"
}

write_environment() {
    local name value
    while read -r name value; do
        [ -n "$name" ] || continue
        printf 'export PC_TESTBED_%s=%q\n' "$name" "$value"
    done >"$root/env" <<END
DIR $root
BIN $root/bin
KUBECONFIG $root/kubeconfig
APISERVER $apiserver
APISERVER_CA $root/ca.crt
ADMIN_TOKEN $admin_token
REGISTRY 127.0.0.1:$registry_port
REGISTRY_LOG $root/logs/registry.log
OCI_REGISTRY $(cat "$root/oci-registry.address")
OCI_REGISTRY_LOG $root/oci-registry.requests
AUTH_REGISTRY $(cat "$root/auth-registry.address")
AUTH_REGISTRY_LOG $root/auth-registry.requests
AUTH_REGISTRY_USER testbed
AUTH_REGISTRY_PASSWORD $auth_password
CA $root/ca.crt
CLIENT_CERTIFICATE $root/client.crt
CLIENT_KEY $root/client.key
BASIC_REGISTRY 127.0.0.1:$basic_port
BASIC_REGISTRY_LOG $root/logs/basic-registry.log
TOKEN_REGISTRY localhost:$token_port
TOKEN_REGISTRY_LOG $root/logs/token-registry.log
TOKEN_REGISTRY_OWNER_PASSWORD $owner_password
TOKEN_SERVER $(localhost "$root/token-server.address")
TOKEN_SERVER_LOG $root/token-server.requests
FRONT $(cat "$root/front.address")
FRONT_LOG $root/front.requests
BEHIND_FRONT $(cat "$root/behind-front.address")
MIRROR 127.0.0.1:$mirror_port
MIRROR_LOG $root/logs/mirror.log
PROXY $(cat "$root/proxy.address")
PROXY_LOG $root/proxy.requests
SIGNING_CONFIG $here/cosign/signing-config.json
TRUSTED_ROOT $here/cosign/trusted-root.json
$([ -z "$sigstore" ] || sigstore_environment)
END
}
