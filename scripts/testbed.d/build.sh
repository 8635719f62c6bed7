# Building the components; sourced by scripts/testbed.
# shellcheck shell=bash
: "${here:?}"

# Builds the components named (all but those in skipped, if none is) as far as they
# are missing.
build_components() {
    local name version package started=$SECONDS built=0
    local -a wanted=("$@")
    for name in "${wanted[@]}"; do
        components | awk -v name="$name" '$1 == name { found = 1 } END { exit !found }' ||
            usage_error "unknown component \`$name\`; there are: $(components | awk '{ printf "%s%s", sep, $1; sep = ", " }')"
    done
    while read -r name version package; do
        [ ${#wanted[@]} -eq 0 ] || printf '%s\n' "${wanted[@]}" | grep -qxF "$name" || continue
        [[ " ${skipped-} " != *" $name "* ]] || continue
        if [ ! -x "$(component_path "$name" "$version" "$package")" ]; then
            build_one "$name" "$version" "$package"
        fi
    done < <(components)
    if [ "$built" -gt 0 ]; then
        say "built $built component(s) in $((SECONDS - started)) s into $(cache_directory)"
    elif [ ${#wanted[@]} -gt 0 ]; then
        say "nothing to build: ${wanted[*]}"
    fi
}

# One build at a time on the machine; a second run of this script waits and
# then finds the work done. Counts in the caller's variable built.
build_one() {
    local name=$1 version=$2 package=$3 path lock
    need go flock
    path=$(component_path "$name" "$version" "$package")
    mkdir -p "$(cache_directory)"
    exec {lock}>"$(cache_directory)/.lock"
    if ! flock --nonblock "$lock"; then
        say "waiting for another build"
        flock "$lock"
    fi
    if [ ! -x "$path" ]; then
        compile "$name" "$version" "$package" "$path"
        built=$((built + 1))
    fi
    exec {lock}>&-
}

compile() {
    local name=$1 version=$2 package=$3 path=$4 started=$SECONDS key partial
    key=$(component_key "$version" "$package")
    partial=$(cache_directory)/.building
    say "building $name $key ..."
    rm -rf "$partial"
    mkdir -p "$partial"
    # The log of the build is shown only when it fails: `go` names every module
    # that it fetches.
    if ! go_build "$name" "$version" "$package" "$partial" >"$partial/log" 2>&1; then
        tail -n 30 "$partial/log" >&2
        fail "building $name $key failed after $((SECONDS - started)) s; is the Go module proxy reachable, and is there Go 1.26 or later (found: $(go env GOVERSION))?"
    fi
    mkdir -p "$(dirname "$path")"
    mv "$partial/$name" "$path"
    rm -rf "$partial"
    say "building $name $key took $((SECONDS - started)) s"
}

# Puts the binary NAME into the directory given last.
go_build() (
    local name=$1 version=$2 package=$3 out=$4 flags='-s -w' folder
    export CGO_ENABLED=0 GOFLAGS='-trimpath -buildvcs=false' GOWORK=off GOOS='' GOARCH=''
    case $version in
        mod:*)
            folder=$here/${version#mod:}
            if [ "${version#mod:}" = kubernetes ]; then
                flags+=" $(kubernetes_version_flags "$(module_version "$folder" "$package")")"
            fi
            cd "$folder" || exit
            go build -mod=readonly -ldflags "$flags" -o "$out/$name" "$package"
            ;;
        *)
            cd "$out" || exit
            GOBIN=$out go install -ldflags "$flags" "$package@$version" || exit
            # Go calls it as the package is called.
            [ "${package##*/}" = "$name" ] || mv "$out/${package##*/}" "$out/$name"
            ;;
    esac
)

# Without these the API server calls itself v0.0.0-master and refuses to start
# features by version.
kubernetes_version_flags() {
    local version=$1 package=k8s.io/component-base/version major minor
    IFS=. read -r major minor _ <<<"${version#v}"
    printf -- '-X %s.gitVersion=%s -X %s.gitMajor=%s -X %s.gitMinor=%s\n' \
        "$package" "$version" "$package" "$major" "$package" "$minor"
}

# A directory of links under the plain names: what PC_TESTBED_BIN names.
link_components() {
    local directory=$1 name version package
    mkdir -p "$directory"
    while read -r name version package; do
        ln -sfn "$(component_path "$name" "$version" "$package")" "$directory/$name"
    done < <(components)
}
