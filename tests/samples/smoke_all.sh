#!/usr/bin/env bash
# smoke_all.sh PROGRAM FOLDER PRECISION BOUND [OPTION...]: a short run of a sample. BOUND is what its last line must reach: -ge N or -le N.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source=tests/samples/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
program=$1 folder=$2 precision=$3 relation=$4 bound=$5
shift 5
sample=${program##*/}
need_data "$sample"
small "$sample"

rm -rf "$folder"
output=$("$program" "${args[@]}" --device cpu --precision "$precision" --out "$folder" "$@") || fail "exit code $?"
printf '%s\n' "$output"

last=$(tail -n 1 <<<"$output")
[[ $last =~ ^[a-z\ ]+:\ (-?[0-9]+\.[0-9]+) ]] || fail "last line: $last"
awk -v value="${BASH_REMATCH[1]}" -v relation="$relation" -v bound="$bound" \
    'BEGIN { exit !(relation == "-ge" ? value >= bound : value <= bound) }' || fail "nothing was learned: $last"
case $output in *$'\r'* | *$'\033'*) fail "control characters though this is not a terminal" ;; esac
[ -s "$folder/checkpoint.safetensors" ] || fail "no checkpoint"
[ "$(awk -F, '{print NF}' "$folder/log.csv" | sort -u)" = 9 ] || fail "log.csv: nine columns are expected"
[ "$(head -c 5 "$folder/plot.svg")$(tail -n 1 "$folder/plot.svg")" = '<svg </svg>' ] || fail "plot.svg is not whole"
scale=$(tail -n 1 "$folder/log.csv" | cut -d, -f8)
if [ "$precision" = f16 ]; then [ "$scale" != 0 ]; else [ "$scale" = 0 ]; fi || fail "loss scale $scale in $precision"

case $sample in
gan)
    [ "$(stat -c %s "$folder/samples.pgm")" -eq $((15 + 224 * 224)) ] || fail "samples.pgm is not whole"
    awk -F, 'NR == 2 { first = $7 } END { exit !($7 > first) }' "$folder/log.csv" || fail "the images came no nearer to real ones"
    ;;
gpt) grep -A 1 '" goes on:$' <<<"$output" | tail -n 1 | grep -q . || fail "nothing was written" ;;
esac
