#!/usr/bin/env bash
# Installs what the tests need, builds, and runs every test; exits non-zero when anything failed.
# usage: scripts/test.sh [--quick]
#   --quick   only the main build: not the portable one, not the one under sanitizers
# Built in build/test, build/portable and build/asan; running it again builds only what changed.
# A test whose tool cannot be had here is reported as skipped.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. scripts/lib.sh

quick=0
case "${1:-}" in
    "") ;;
    --quick) quick=1 ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" && exit 2 ;;
esac

need_packages g++ cmake ninja-build libgtest-dev zlib1g-dev binutils pkg-config python3 python3-venv || die "the tests cannot be built without these packages"
for optional in ccache libboost-context-dev libdnnl-dev libbenchmark-dev dataset-fashion-mnist wordnet-base abigail-tools swig clang bindgen doxygen luajit mono-mcs mono-runtime python3-torch; do
    need_packages "$optional" || echo "going on without $optional: what needs it is reported as skipped"
done
export MPT_GOLDEN_REQUIRE=all # where every language's tools are there, none may be skipped
for language in python java rust; do
    "bindings/$language/install-tools.sh" || { echo "going on without all of $language's tools: what needs them is reported as skipped"; MPT_GOLDEN_REQUIRE=; }
done
for package in r-cran-janeaustenr r-cran-lme4; do
    scripts/data.sh "$package" || echo "going on without $package: what needs it is reported as skipped"
done

common=()
command -v ccache >/dev/null && common=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_CUDA_COMPILER_LAUNCHER=ccache)
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 # a clone in another folder finds the same results
failed=()

# stage NAME PRESET [CTEST OPTION...]
stage() {
    local name=$1 preset=$2 start=$SECONDS
    shift 2
    say "$name: configure and build (preset $preset)"
    if ! cmake --preset "$preset" "${common[@]}"; then
        failed+=("$name: configuration")
    elif ! cmake --build --preset "$preset" --parallel "$(nproc)"; then
        failed+=("$name: build")
    else
        say "$name: run"
        ctest --preset "$preset" --parallel "$(nproc)" "$@" || failed+=("$name: tests")
    fi
    say "$name: $((SECONDS - start)) s"
}

stage main ci
if [ $quick -eq 0 ]; then
    stage portable portable
    stage sanitizers asan
fi

if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[@]}"
    exit 1
fi
say "everything passed in $SECONDS s"
