#!/usr/bin/env bash
# same_bits.sh PROGRAM FOLDER PRECISION: two captured epochs, two eager ones, and one epoch with another from its checkpoint all end
# in the same bits. SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source=tests/samples/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
program=$1 folder=$2 precision=$3
need_data

train() { "$program" --limit 1000 --device cpu --threads 2 --precision "$precision" --seed 5 "$@" || fail "exit code $?"; }
# All columns but the seconds.
numbers() { cut -d, -f1,3- "$folder/$1/log.csv"; }
same() {
    cmp "$folder/whole/checkpoint.safetensors" "$folder/$1/checkpoint.safetensors" || fail "the $1 run came to other weights"
    diff <(numbers whole) <(numbers "$1") || fail "the $1 run has another log"
}

rm -rf "$folder"
train --epochs 2 --out "$folder/whole"
train --epochs 2 --out "$folder/eager" --eager
train --epochs 1 --out "$folder/resumed"
train --epochs 2 --out "$folder/resumed" --resume "$folder/resumed/checkpoint.safetensors"
same eager
same resumed
