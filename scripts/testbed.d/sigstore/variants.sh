# The images that `sign` can make: one function each, which attaches evidence to
# the image in reference. Sourced by sign.
# shellcheck shell=bash

declare -A variants=(
    [unsigned]='no evidence at all'
    [bundle-keyless]='signed by dev@example.com (cosign 3, bundle)'
    [bundle-key]='signed with a key, with log and timestamp (cosign 3, bundle)'
    [bundle-key-bare]='signed with a key and nothing else (cosign 3, bundle)'
    [bundle-gitlab]='signed by a job of gitlab.com (cosign 3, bundle)'
    [bundle-stranger]='signed by mallory@example.com, whom nobody trusts'
    [bundle-other-name]='signed by a certificate whose name is an otherName'
    [bundle-other-key]='signed with a key that nobody trusts, bundle and .sig'
    [bundle-tampered]='a bundle whose signature was changed'
    [bundle-copied]='a bundle that was made for another image'
    [bundle-attestations]='SLSA v1, SPDX, CycloneDX, vulnerabilities and a custom attestation by dev@example.com'
    [bundle-key-attestations]='SLSA v1 and SPDX attested with a key, without log'
    [manifest-only]='the manifest of the first platform is signed, the index is not'
    [recursive]='the index and all its manifests are signed'
    [single]='a manifest without an index, signed by dev@example.com'
    [legacy-keyless]='.sig and .att by dev@example.com (cosign 2, timestamps, no log)'
    [legacy-keyless-no-time]='.sig by dev@example.com with nothing that proves when'
    [legacy-key]='.sig and .att with a key (cosign 2)'
    [legacy-key-types]='.sig with an Ed25519, an RSA and a P-384 key'
    [legacy-copied]='.sig and .att that were made for another image'
    [elsewhere]='.sig and .att with a key, in another repository (COSIGN_REPOSITORY)'
    [github]='provenance of GitHub Actions, as actions/attest-build-provenance attaches it'
    [github-self-hosted]='the same from a runner of the user, on a pull request'
    [github-shared-builder]='provenance in .att by slsa-github-generator, a workflow that any project can use'
)

slsa_v1=https://slsa.dev/provenance/v1
slsa_v02=https://slsa.dev/provenance/v0.2
spdx=https://spdx.dev/Document

# What finds are under three configurations: nothing is trusted; the root is; the
# root, the keys and the signers of trust.json are.
by_certificate='{"nothing": {"verdict": "present", "reason": "no-root"}, "root": {"verdict": "valid"}, "trust": {"verdict": "trusted"}}'
by_stranger='{"nothing": {"verdict": "present", "reason": "no-root"}, "root": {"verdict": "valid"}, "trust": {"verdict": "valid"}}'
by_key='{"nothing": {"verdict": "present", "reason": "no-key"}, "root": {"verdict": "present", "reason": "no-key"}, "trust": {"verdict": "trusted"}}'
by_other_key='{"nothing": {"verdict": "present", "reason": "no-key"}, "root": {"verdict": "present", "reason": "no-key"}, "trust": {"verdict": "present", "reason": "no-key"}}'
timeless='{"nothing": {"verdict": "present", "reason": "no-root"}, "root": {"verdict": "present", "reason": "no-time"}, "trust": {"verdict": "present", "reason": "no-time"}}'
elsewhere='{"nothing": null, "root": null, "trust": {"verdict": "trusted"}}'
# Changed after signing: the timestamp, which is over the signature, fails with it,
# and who knows the authority may name either.
changed='{"nothing": {"verdict": "invalid", "reason": "signature"}, "root": {"verdict": "invalid"}, "trust": {"verdict": "invalid"}}'
invalid() { jq -nc --arg reason "$1" '{verdict: "invalid", reason: $reason} as $v | {nothing: $v, root: $v, trust: $v}'; }

make_unsigned() { :; }

make_bundle-keyless() { bundle_signature dev "$by_certificate"; }
make_bundle-key() { bundle_signature cosign "$by_key"; }
make_bundle-key-bare() { bare=yes bundle_signature cosign "$by_key"; }
make_bundle-gitlab() { bundle_signature gitlab "$by_certificate"; }
make_bundle-stranger() { bundle_signature stranger "$by_stranger"; }
make_bundle-other-name() { bundle_signature other-name "$by_stranger"; }
make_single() { bundle_signature dev "$by_certificate"; }

make_bundle-other-key() {
    bundle_signature other "$by_other_key"
    legacy_signature other "$by_other_key"
}

make_bundle-tampered() {
    local target=$reference
    make_donor
    (reference=$donor && bundle_statement dev "$(statement_of "$target" https://sigstore.dev/cosign/sign/v1 '{}')")
    # The signature stays one of its kind: two bytes in its last number are swapped.
    jq '.dsseEnvelope.signatures[0].sig |= (.[0:20] + .[21:22] + .[20:21] + .[22:])
        | if .dsseEnvelope.signatures[0].sig[20:21] == .dsseEnvelope.signatures[0].sig[21:22] then error("nothing changed") else . end' \
        "$work/bundle.json" >"$work/tampered.json"
    attach_bundle "$work/tampered.json" https://sigstore.dev/cosign/sign/v1
    found signature bundle/0.3 referrers index dev https://sigstore.dev/cosign/sign/v1 "$changed"
}

make_bundle-copied() {
    make_donor
    bundle_statement dev "$(statement_of "$donor" https://sigstore.dev/cosign/sign/v1 '{}')"
    attach_bundle "$work/bundle.json" https://sigstore.dev/cosign/sign/v1
    found signature bundle/0.3 referrers index dev https://sigstore.dev/cosign/sign/v1 "$(invalid subject)"
}

make_bundle-attestations() {
    predicates
    bundle_attestation provenance dev slsaprovenance1 "$work/slsa.json" $slsa_v1 "$by_certificate"
    bundle_attestation sbom dev spdxjson "$work/spdx.json" $spdx "$by_certificate"
    bundle_attestation sbom dev cyclonedx "$work/cyclonedx.json" https://cyclonedx.org/bom "$by_certificate"
    bundle_attestation other dev vuln "$work/vuln.json" https://cosign.sigstore.dev/attestation/vuln/v1 "$by_certificate"
    bundle_attestation other dev custom "$work/custom.json" https://cosign.sigstore.dev/attestation/v1 "$by_certificate"
}

make_bundle-key-attestations() {
    predicates
    bare=yes bundle_attestation provenance cosign slsaprovenance1 "$work/slsa.json" $slsa_v1 "$by_key"
    bare=yes bundle_attestation sbom cosign spdxjson "$work/spdx.json" $spdx "$by_key"
}

make_manifest-only() {
    local platform
    platform=$(jq -r 'keys[0]' <<<"$platforms")
    reference=${reference%@*}@$(jq -r --arg platform "$platform" '.[$platform]' <<<"$platforms")
    on=$platform
    bundle_signature dev "$by_certificate"
}

make_recursive() {
    local index_reference=$reference platform manifest
    bundle_signature dev "$by_certificate"
    while read -r platform manifest; do
        reference=${index_reference%@*}@$manifest
        on=$platform bundle_signature dev "$by_certificate"
    done < <(jq -r 'to_entries[] | "\(.key) \(.value)"' <<<"$platforms")
}

make_legacy-keyless() {
    predicates
    legacy_signature dev "$by_certificate"
    legacy_attestation provenance dev slsaprovenance1 "$work/slsa.json" $slsa_v1 "$by_certificate"
    legacy_attestation sbom dev cyclonedx "$work/cyclonedx.json" https://cyclonedx.org/bom "$by_certificate"
}

make_legacy-keyless-no-time() { timestamps='' legacy_signature dev "$timeless"; }

make_legacy-key() {
    predicates
    legacy_signature cosign "$by_key"
    legacy_attestation sbom cosign spdxjson "$work/spdx.json" $spdx "$by_key"
    legacy_attestation provenance cosign slsaprovenance1 "$work/slsa.json" $slsa_v1 "$by_key"
}

make_legacy-key-types() {
    local key
    for key in ed25519 rsa p384; do legacy_signature "$key" "$by_key"; done
}

# What somebody does who wants an image to look signed.
make_legacy-copied() {
    local target=$reference kind
    predicates
    make_donor
    reference=$donor
    tell='' legacy_signature cosign "$by_key"
    tell='' legacy_attestation provenance cosign slsaprovenance1 "$work/slsa.json" $slsa_v1 "$by_key"
    reference=$target
    for kind in sig att; do
        quietly crane copy --insecure "$(address "$(evidence_tag "$donor" $kind)")" "$(address "$(evidence_tag "$target" $kind)")"
    done
    found signature cosign/simple sigTag index cosign '' "$(invalid subject)"
    found provenance dsse/in-toto attTag index cosign $slsa_v1 "$(invalid subject)"
}

make_elsewhere() {
    predicates
    # Named by its address: cosign takes only such for plain HTTP.
    signature_repository=$repository-signatures
    export COSIGN_REPOSITORY=$registry/$signature_repository
    legacy_signature cosign "$elsewhere"
    legacy_attestation provenance cosign slsaprovenance1 "$work/slsa.json" $slsa_v1 "$elsewhere"
    unset COSIGN_REPOSITORY
}

make_github() { github_attestation github "$by_certificate"; }
make_github-self-hosted() { github_attestation github-self-hosted "$by_certificate"; }

make_github-shared-builder() {
    evidence generator "$(claims_of shared-builder)" >"$work/generator.json"
    legacy_attestation provenance shared-builder slsaprovenance02 "$work/generator.json" $slsa_v02 "$by_certificate"
}

github_attestation() {
    bundle_statement "$1" "$(statement_of "$reference" $slsa_v1 "$(evidence github "$(claims_of "$1")")")"
    attach_bundle "$work/bundle.json" $slsa_v1
    found provenance bundle/0.3 referrers index "$1" $slsa_v1 "$2"
}
