#!/usr/bin/env bash
# resume.sh PROGRAM FOLDER PRECISION: two epochs at once, and one epoch then another from the checkpoint, end in the same bits.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source=tests/samples/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
program=$1 folder=$2 precision=$3
need_data

train() { "$program" --limit 1000 --device cpu --threads 2 --precision "$precision" --seed 5 "$@" || fail "exit code $?"; }
rm -rf "$folder"
train --epochs 2 --out "$folder/whole"
train --epochs 1 --out "$folder/parts"
train --epochs 2 --out "$folder/parts" --resume "$folder/parts/checkpoint.safetensors"
cmp "$folder/whole/checkpoint.safetensors" "$folder/parts/checkpoint.safetensors" || fail "the resumed run came to other weights"
# All but the seconds.
diff <(cut -d, -f1,3- "$folder/whole/log.csv") <(cut -d, -f1,3- "$folder/parts/log.csv") || fail "the logs differ"
