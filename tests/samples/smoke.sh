#!/usr/bin/env bash
# smoke.sh PROGRAM FOLDER PRECISION captured|eager: a short training run; checks what it prints and writes.
# 2000 images are 15 batches of 128 and one of 80. SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source=tests/samples/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
program=$1 folder=$2 precision=$3 mode=$4
need_data fashion_mnist

eager=()
[ "$mode" = captured ] || eager=(--eager)
rm -rf "$folder"
output=$("$program" --epochs 2 --limit 2000 --device cpu --precision "$precision" --out "$folder" "${eager[@]}") || fail "exit code $?"
printf '%s\n' "$output"

last=$(tail -n 1 <<<"$output")
[[ $last =~ ^test\ accuracy:\ ([0-9]+)\.[0-9]{2}\ %$ ]] || fail "last line: $last"
# Far above the 10 % of guessing, far below what the full run reaches.
[ "${BASH_REMATCH[1]}" -ge 55 ] || fail "nothing was learned: $last"
case $output in *$'\r'* | *$'\033'*) fail "control characters though this is not a terminal" ;; esac
grep -q "^epoch 2/2 100 %  16/16  .* steps/s  left 0:00  loss .* acc .* scale .* skipped" <<<"$output" || fail "no progress lines"

[ -s "$folder/checkpoint.safetensors" ] || fail "no checkpoint"
[ "$(wc -l <"$folder/log.csv")" -eq 3 ] || fail "log.csv: a header and two rows are expected"
[ "$(awk -F, '{print NF}' "$folder/log.csv" | sort -u)" = 9 ] || fail "log.csv: nine columns are expected"
[ "$(head -c 5 "$folder/plot.svg")$(tail -n 1 "$folder/plot.svg")" = '<svg </svg>' ] || fail "plot.svg is not whole"
! grep -qi 'nan\|inf' "$folder/plot.svg" || fail "plot.svg has numbers that are not finite"
[ "$(find "$folder" -type f | wc -l)" -eq 3 ] || fail "files left over: $(ls "$folder")"
scale=$(tail -n 1 "$folder/log.csv" | cut -d, -f8)
if [ "$precision" = f16 ]; then [ "$scale" != 0 ]; else [ "$scale" = 0 ]; fi || fail "loss scale $scale in $precision"
