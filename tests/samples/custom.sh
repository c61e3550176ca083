#!/usr/bin/env bash
# custom.sh PROGRAM FOLDER: a run in two parts comes to the bits of one without a stop, and to something learned. SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source=tests/samples/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
program=$1 folder=$2
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

"$program" 400 whole
"$program" 150 parts
cmp -s whole parts && fail "150 steps and 400 are the same"
"$program" 400 parts >parts.txt
cmp whole parts || fail "the resumed run came to other weights"
last=$(tail -n 1 parts.txt)
[[ $last =~ error\ ([0-9.]+) ]] || fail "last line: $last"
awk -v error="${BASH_REMATCH[1]}" 'BEGIN { exit !(error < 0.001) }' || fail "nothing was learned: $last"
expect 2 usage 0
expect 1 IO 400 "$folder/no/such/folder"
