#!/usr/bin/env bash
# Builds NAME.cu in kernels/ and in src/test/probes/ into the PTX that lies beside it; that of kernels/ is shipped.
#
#   ci/kernels.sh          builds all of them; needs nvcc and ptxas 13.0 on the PATH
#   ci/kernels.sh --check  compares each stamp with its source and builds nothing; needs sha256sum only
#
# NAME.sm75.ptx runs on every GPU from compute capability 7.5 on; a source whose first line begins with '// compute_80' or
# '// compute_90' needs newer features and gives NAME.sm80.ptx or NAME.sm90.ptx. nvcc writes the PTX version of its own CUDA, which older drivers refuse; the version
# is lowered to 7.0, for compute_90 to 8.0, so that every driver of CUDA 12 loads it, and ptxas then shows that nothing newer
# is used and that no kernel spills registers. A source that says 'PTX 8.1' there needs CUDA 12.1. The first line of each file
# holds the sha256 of its source, and of each header beside it if it includes any.
set -euo pipefail
unset CDPATH # else cd may print where it went
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly NVCC=13.0
readonly GPUS="75 80 86 89 90 100 120"
readonly FOLDERS="kernels src/test/probes"

# capability_of SOURCE: the compute capability that it is compiled for.
capability_of() {
    local asked
    asked=$(sed -n '1s/^\/\/ compute_\([0-9]*\).*$/\1/p' "$1")
    echo "${asked:-75}"
}

# target_of SOURCE: the PTX file that it becomes.
target_of() {
    echo "${1%.cu}.sm$(capability_of "$1").ptx"
}

# version_of SOURCE: the PTX version that its features need.
version_of() {
    local asked
    asked=$(sed -n '1s/^.*PTX \([0-9.]*\)$/\1/p' "$1")
    if [[ -z $asked ]]; then
        if (($(capability_of "$1") >= 90)); then asked=8.0; else asked=7.0; fi
    fi
    echo "$asked"
}

stamp() {
    local files=("$1") file hashes=
    if grep -q '^#include "' "$1"; then files+=("$(dirname "$1")"/*.cuh); fi
    for file in "${files[@]}"; do hashes+=" $(basename "$file") sha256 $(sha256sum "$file" | cut -d' ' -f1)"; done
    echo "//$hashes nvcc $NVCC compute_$(capability_of "$1")"
}

# sources: every NAME.cu.
sources() {
    local folder
    for folder in $FOLDERS; do
        ls "$folder"/*.cu
    done
}

check() {
    local folder source target stale=0
    for source in $(sources); do
        target=$(target_of "$source")
        if [[ ! -f $target || $(head -n 1 "$target") != "$(stamp "$source")" ]]; then
            echo "$target was not built from $source as it is now: run ci/kernels.sh" >&2
            stale=1
        fi
    done
    for folder in $FOLDERS; do
        for target in "$folder"/*.ptx; do
            source=${target%.sm*.ptx}.cu
            if [[ ! -f $source || $(target_of "$source") != "$target" ]]; then
                echo "$target has no source" >&2
                stale=1
            fi
        done
    done
    return "$stale"
}

build() {
    local source=$1 target capability version made=$WORK/made built=$WORK/built.ptx gpu assembled=()
    target=$(target_of "$source")
    capability=$(capability_of "$source")
    version=$(version_of "$source")
    nvcc -ptx -arch="compute_$capability" -Werror all-warnings -o "$made" "$source"
    {
        stamp "$source"
        # Comments of the compiler name its build; the code does not need them. The version is lowered in the same pass.
        sed -e '/^\/\//d' -e '/^$/d' -e "s/^\.version .*/.version $version/" "$made"
    } >"$built"
    if grep -q 'tanh\.approx' "$built"; then
        echo "$target uses tanh.approx, whose error is that of half precision" >&2
        return 1
    fi
    for gpu in $GPUS; do
        ((gpu >= capability)) || continue
        if ! ptxas -v -arch="sm_$gpu" -o /dev/null "$built" >"$made" 2>&1; then
            cat "$made" >&2
            return 1
        fi
        if grep -B1 -E ', [1-9][0-9]* bytes spill' "$made" >&2; then
            echo "$target spills registers on sm_$gpu" >&2
            return 1
        fi
        assembled+=("sm_$gpu")
    done
    cp "$built" "$target" # not before it is right
    echo "$target: $(grep -c '^\.visible \.entry' "$target") kernels, assembled for ${assembled[*]}"
}

if [[ ${1:-} == --check ]]; then
    check
    exit
fi
if ! nvcc --version | grep -q "release $NVCC,"; then
    echo "ci/kernels.sh needs nvcc $NVCC on the PATH, so that the same source gives the same PTX" >&2
    exit 1
fi
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
for source in $(sources); do
    build "$source"
done
check
