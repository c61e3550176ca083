# Helpers of the scripts beside this file. SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# need_data SAMPLE: tells ctest that a test was skipped where there is nothing to train on.
need_data() {
    local package=dataset-fashion-mnist file=/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz root
    case $1 in
    gpt) package=r-cran-janeaustenr file=/usr/lib/R/site-library/janeaustenr/data/Rdata.rdx ;;
    lstm) package=wordnet-base file=/usr/share/wordnet/data.noun ;;
    esac
    # Where samples/common/data.h looks; Fashion-MNIST is looked for where it is installed alone.
    for root in '' "${MPT_DATA:-}" "${XDG_CACHE_HOME:-/nowhere}/mpt" "${HOME:-/nowhere}/.cache/mpt"; do
        [ ! -f "$root$file" ] || return 0
    done
    echo "skipped: the data of the package $package are not there"
    exit 77
}

# small SAMPLE: sets args to options with which the sample runs for seconds.
small() {
    case $1 in
    fashion_mnist) args=(--epochs 2 --limit 1000) ;;
    autoencoder) args=(--epochs 2 --limit 1000) ;;
    resnet18) args=(--epochs 2 --limit 500 --batch 16 --width 4) ;;
    gpt) args=(--steps 40 --every 20 --layers 2 --width 32 --context 32 --windows 40 --sample 40) ;;
    lstm) args=(--epochs 2 --limit 310 --batch 32 --layers 2 --bidirectional) ;;
    gan) args=(--epochs 2 --limit 500 --batch 32 --width 8) ;;
    *) fail "no such sample: $1" ;;
    esac
}

# expect CODE PATTERN ARGUMENT...: what $program exits with and says.
expect() {
    local code=$1 pattern=$2 status=0 output
    shift 2
    # shellcheck disable=SC2154
    output=$("$program" "$@" 2>&1) || status=$?
    [ "$status" -eq "$code" ] || fail "$*: exit code $status where $code is expected: $output"
    grep -q -e "$pattern" <<<"$output" || fail "$*: the message lacks '$pattern': $output"
}
