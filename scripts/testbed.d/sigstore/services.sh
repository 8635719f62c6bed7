# A private Sigstore: certificate authority, transparency logs, timestamp
# authority, and who says who is who. Sourced by scripts/testbed.
# shellcheck shell=bash
: "${here:?}"

# What is neither built nor started with --without-sigstore.
sigstore_components='ct-log fulcio oidc-issuer rekor-server timestamp-server'

# The services go by these names in trusted roots: a port would be another one
# each time. Rekor signs its name into checkpoints.
sigstore_domain=sigstore.example.com

# Keys and certificates, valid from a minute ago for ten years: what is signed
# here may be kept as test data.
make_sigstore_credentials() {
    local directory=$root/sigstore
    mkdir -p "$directory"
    (
        cd "$directory" || exit
        key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }
        # NAME SUBJECT EXTENSIONS [ISSUER]
        certificate() {
            key "$1.key"
            openssl req -new -key "$1.key" -subj "/O=$sigstore_domain/CN=$2" -out "$1.csr" 2>/dev/null
            local -a by=(-signkey "$1.key")
            [ $# -lt 4 ] || by=(-CA "$4.crt" -CAkey "$4.key" -CAcreateserial)
            openssl x509 -req -sha256 -in "$1.csr" -days 3650 "${by[@]}" -out "$1.crt" \
                -extfile <(printf 'subjectKeyIdentifier=hash\n%b\n' "$3") 2>/dev/null
        }
        local authority='basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign'
        certificate fulcio-root sigstore "$authority"
        certificate fulcio sigstore-intermediate "${authority/CA:true/CA:true,pathlen:0}\nextendedKeyUsage=codeSigning" fulcio-root
        certificate tsa-root sigstore-tsa-root "$authority"
        certificate tsa sigstore-tsa 'basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping' tsa-root
        cat fulcio.crt fulcio-root.crt >fulcio.pem
        cat tsa.crt tsa-root.crt >tsa.pem
        key ct-log.key
        openssl genpkey -algorithm ed25519 -out rekor.key 2>/dev/null
        openssl pkey -in ct-log.key -pubout -out ct-log.pub 2>/dev/null
        openssl pkey -in rekor.key -pubout -out rekor.pub 2>/dev/null
    )
    if [ ! -s "$directory/fulcio.pem" ] || [ ! -s "$directory/tsa.pem" ] || [ ! -s "$directory/rekor.pub" ]; then
        say "openssl could not make the keys and certificates in $directory"
        return 1
    fi
}

# What a component listens on, once await_file has seen the file.
sigstore_url() { printf 'http://%s\n' "$(cat "$root/sigstore/$1.address")"; }

# Those that need no other.
start_sigstore() {
    local directory=$root/sigstore
    rm -rf "$directory/rekor" "$directory"/*.address
    spawn oidc-issuer "$root/bin/oidc-issuer" --address-file "$directory/oidc-issuer.address" --ca-file "$directory/oidc-ca.pem"
    spawn ct-log "$root/bin/ct-log" --address-file "$directory/ct-log.address" --key "$directory/ct-log.key"
    spawn timestamp-server "$root/bin/timestamp-server" --address-file "$directory/tsa.address" \
        --key "$directory/tsa.key" --chain "$directory/tsa.pem"
    spawn rekor-server "$root/bin/rekor-server" serve --hostname "rekor.$sigstore_domain" \
        --http-port "$rekor_port" --grpc-port "$rekor_grpc_port" --http-metrics-port "$rekor_metrics_port" \
        --signer-filepath "$directory/rekor.key" --storage-dir "$directory/rekor" \
        --batch-max-age 20ms --checkpoint-interval 100ms --log-level warn
}

# Fulcio asks all issuers for their keys when it starts, and the log for a
# promise with each certificate.
start_fulcio() {
    local directory=$root/sigstore
    await_file oidc-issuer "$directory/oidc-issuer.address" && await_file ct-log "$directory/ct-log.address" || return 1
    spawn fulcio env HTTPS_PROXY="$(sigstore_url oidc-issuer)" NO_PROXY='' no_proxy='' SSL_CERT_FILE="$directory/oidc-ca.pem" \
        "$root/bin/fulcio" --address-file "$directory/fulcio.address" --config "$here/sigstore/fulcio.yaml" \
        --key "$directory/fulcio.key" --chain "$directory/fulcio.pem" \
        --ct-log "$(sigstore_url ct-log)" --ct-log-key "$directory/ct-log.pub"
}

await_sigstore() {
    await_file timestamp-server "$root/sigstore/tsa.address" &&
        await_file fulcio "$root/sigstore/fulcio.address" &&
        await rekor-server "http://127.0.0.1:$rekor_port/healthz"
}

# Whom verifiers believe, and where signers go: for cosign's --trusted-root and
# --signing-config.
write_sigstore_roots() {
    local directory=$root/sigstore since log
    since=$(date -u -d '-1 minute' +%Y-%m-%dT%H:%M:%SZ)
    log=$root/logs/trusted-root.log
    local common="api-version=1,start-time=$since,operator=$sigstore_domain"
    if ! "$root/bin/cosign" trusted-root create --out "$directory/trusted-root.json" \
        --fulcio "url=https://fulcio.$sigstore_domain,certificate-chain=$directory/fulcio.pem,start-time=$since" \
        --ctfe "url=https://ctfe.$sigstore_domain,public-key=$directory/ct-log.pub,start-time=$since" \
        --rekor "url=https://rekor.$sigstore_domain,public-key=$directory/rekor.pub,start-time=$since,origin=rekor.$sigstore_domain" \
        --tsa "url=https://timestamp.$sigstore_domain/api/v1/timestamp,certificate-chain=$directory/tsa.pem,start-time=$since" >"$log" 2>&1 ||
        ! "$root/bin/cosign" signing-config create --out "$directory/signing-config.json" \
            --fulcio "url=$(sigstore_url fulcio),$common" \
            --oidc-provider "url=https://accounts.example.com,$common" \
            --rekor "url=http://127.0.0.1:$rekor_port,${common/api-version=1/api-version=2}" --rekor-config ANY \
            --tsa "url=$(sigstore_url tsa)/api/v1/timestamp,$common" --tsa-config ANY >>"$log" 2>&1; then
        say "cosign could not write the trusted root or the signing config:"
        tail -n 20 "$log" >&2
        return 1
    fi
}

# The lines of write_environment.
sigstore_environment() {
    cat <<END
SIGSTORE_TRUSTED_ROOT $root/sigstore/trusted-root.json
SIGSTORE_SIGNING_CONFIG $root/sigstore/signing-config.json
SIGSTORE_FULCIO $(sigstore_url fulcio)
SIGSTORE_REKOR http://127.0.0.1:$rekor_port
SIGSTORE_TSA $(sigstore_url tsa)/api/v1/timestamp
SIGSTORE_ISSUER $(sigstore_url oidc-issuer)
SIGSTORE_TOKEN $here/sigstore/token
SIGSTORE_SIGN $here/sigstore/sign
END
}
