#!/usr/bin/env bash
# From a fresh Debian or Ubuntu to a trained network: installs what is missing, builds, trains. Options: --help.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
caller_folder=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

for option in "$@"; do
    case $option in
    --help | -h)
        printf 'Usage: scripts/demo.sh [options]\n\n'
        sed -n 's/^ *"\(.*\)\\n"\( \\\)\{0,1\}$/\1/p' samples/common/help.h
        exit 0
        ;;
    esac
done

need_packages g++ make cmake ninja-build pkg-config zlib1g-dev || die "the demo cannot be built without these packages"
need_packages libdnnl-dev || say "going on without oneDNN: mpt's own kernels do the work, more slowly"
need_packages dataset-fashion-mnist || say "the data set is not installed; the demo needs --data with its folder"

# What has just been installed must be looked for again.
[ -z "${packages_installed:-}" ] || rm -f build/demo/.configured
configure_and_build build/demo "fashion_mnist" -DCMAKE_BUILD_TYPE=Release -DMPT_TESTS=OFF -DMPT_BENCH=OFF -DMPT_SAMPLES=ON ||
    die "the build failed"

program=$PWD/build/demo/bin/fashion_mnist
cd "$caller_folder" # paths in the options are the caller's
exec "$program" "$@"
