#!/usr/bin/env bash
# same_bits.sh PROGRAM FOLDER PRECISION [OPTION...]: two captured epochs, two eager ones, and one epoch with another from its checkpoint all
# end in the same bits. SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source=tests/samples/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
program=$1 folder=$2 precision=$3
shift 3
sample=${program##*/}
need_data "$sample"
small "$sample"

options=("$@")
train() {
    local out=$folder/$1
    shift
    "$program" "${args[@]}" --device cpu --threads 2 --precision "$precision" --seed 5 "${options[@]}" --out "$out" "$@" >"$out.txt" ||
        fail "exit code $?: $(tail -n 3 "$out.txt")"
}
# All columns but the seconds.
numbers() { cut -d, -f1,3- "$folder/$1/log.csv"; }
same() {
    cmp "$folder/whole/checkpoint.safetensors" "$folder/$1/checkpoint.safetensors" || fail "the $1 run came to other weights"
    diff <(numbers whole) <(numbers "$1") || fail "the $1 run has another log"
    diff <(tail -n 1 "$folder/whole.txt") <(tail -n 1 "$folder/$1.txt") || fail "the $1 run has another result"
}

rm -rf "$folder"
mkdir -p "$folder"
train whole
train eager --eager
train resumed --stop 1
[ "$(wc -l <"$folder/resumed/log.csv")" -eq 2 ] || fail "--stop 1 did not stop after the first epoch"
train resumed --resume "$folder/resumed/checkpoint.safetensors"
[ "$(wc -l <"$folder/whole/log.csv")" -eq 3 ] || fail "log.csv: a header and two rows are expected"
same eager
same resumed
