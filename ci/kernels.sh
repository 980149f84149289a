#!/usr/bin/env bash
# Builds kernels/NAME.cu into the PTX that is shipped beside it.
#
#   ci/kernels.sh          builds all of them; needs nvcc and ptxas 13.0 on the PATH
#   ci/kernels.sh --check  compares each stamp with its source and builds nothing; needs sha256sum only
#
# NAME.sm75.ptx runs on every GPU from compute capability 7.5 on. nvcc writes the PTX version of its own CUDA, which older
# drivers refuse; the version is lowered to 7.0, so that every driver of CUDA 12 loads it, and ptxas then shows that
# nothing newer is used. The first line of each file holds the sha256 of its source.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../kernels"

readonly NVCC=13.0 PTX_VERSION=7.0
readonly GPUS="75 80 86 89 90 100 120"

hash_of() {
    sha256sum "$1" | cut -d' ' -f1
}

stamp() {
    echo "// $1 sha256 $(hash_of "$1") nvcc $NVCC compute_75"
}

check() {
    local source target stale=0
    for source in *.cu; do
        target=${source%.cu}.sm75.ptx
        if [[ ! -f $target || $(head -n 1 "$target") != "$(stamp "$source")" ]]; then
            echo "kernels/$target was not built from kernels/$source as it is now: run ci/kernels.sh" >&2
            stale=1
        fi
    done
    for target in *.sm75.ptx; do
        if [[ ! -f ${target%.sm75.ptx}.cu ]]; then
            echo "kernels/$target has no source" >&2
            stale=1
        fi
    done
    return "$stale"
}

build() {
    local source=$1 target=${1%.cu}.sm75.ptx made gpu
    made=$(mktemp)
    nvcc -ptx -arch=compute_75 -Werror all-warnings -o "$made" "$source"
    {
        stamp "$source"
        # Comments of the compiler name its build; the code does not need them. The version is lowered in the same pass.
        sed -e '/^\/\//d' -e '/^$/d' -e "s/^\.version .*/.version $PTX_VERSION/" "$made"
    } >"$target"
    rm "$made"
    if grep -qE '\.approx(\.ftz)?\.f32' "$target" && grep -q 'tanh\.approx' "$target"; then
        echo "kernels/$target uses tanh.approx, whose error is that of half precision" >&2
        return 1
    fi
    for gpu in $GPUS; do
        ptxas -arch="sm_$gpu" -o /dev/null "$target"
    done
    echo "kernels/$target: $(grep -c '^\.visible \.entry' "$target") kernels, assembled for sm_${GPUS// /, sm_}"
}

if [[ ${1:-} == --check ]]; then
    check
    exit
fi
if ! nvcc --version | grep -q "release $NVCC,"; then
    echo "ci/kernels.sh needs nvcc $NVCC on the PATH, so that the same source gives the same PTX" >&2
    exit 1
fi
for source in *.cu; do
    build "$source"
done
check
