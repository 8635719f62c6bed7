# What the parts of scripts/testbed share; expects it to set here to the
# directory of this file.
# shellcheck shell=bash
: "${here:?}"

say() { printf 'testbed: %s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

usage_error() {
    say "$* (scripts/testbed --help)"
    exit 2
}

# Ends with a clear message unless all commands named are there.
need() {
    local command missing=''
    for command in "$@"; do
        command -v "$command" >/dev/null || missing+=" $command"
    done
    [ -z "$missing" ] || fail "not installed:$missing (on Debian: apt-get install jq curl openssl util-linux; Go 1.26 or later from go.dev)"
}

cache_directory() {
    printf '%s/provenance-collector/testbed/bin\n' "${XDG_CACHE_HOME:-$HOME/.cache}"
}

# The lines of the versions file as "NAME VERSION PACKAGE".
components() {
    grep -vE '^[[:space:]]*(#|$)' "$here/versions"
}

# The cache key of a component, VERSION PACKAGE: its version, and for a module
# of ours also a hash over that module's files.
component_key() {
    local version=$1 package=$2 folder
    case $version in
        mod:*)
            folder=$here/${version#mod:}
            printf '%s-%s\n' "$(module_version "$folder" "$package")" "$(module_hash "$folder")"
            ;;
        *) printf '%s\n' "$version" ;;
    esac
}

# The version that the module in a folder requires of what holds the package,
# or "own".
module_version() {
    awk -v package="$2" '
        { path = $1; version = $2 }
        $1 == "require" { path = $2; version = $3 }
        version ~ /^v[0-9]/ && index(package "/", path "/") == 1 { found = version; exit }
        END { print found == "" ? "own" : found }' "$1/go.mod"
}

module_hash() {
    (cd "$1" && find . -type f \( -name '*.go' -o -name go.mod -o -name go.sum \) -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-8)
}

# Where the binary of a component is, or will be: NAME VERSION PACKAGE.
component_path() {
    printf '%s/%s/%s/%s\n' "$(cache_directory)" "$1" "$(component_key "$2" "$3")" "$1"
}
