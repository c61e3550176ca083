#!/usr/bin/env bash
# errors.sh PROGRAM DEMO FOLDER: wrong options, a missing data set and missing files give a message and the right exit code.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source=tests/samples/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
program=$1 demo=$2 folder=$3
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

expect 2 'no such option' --nonsense
expect 2 'no such option' nonsense
expect 2 'no such option' --
expect 2 'no such option' --a-name-that-is-far-too-long-to-be-an-option=1
expect 2 'needs a value' --epochs
expect 2 'f32 f16 bf16 fp8' --precision f8
expect 2 'auto cpu cuda' --device tpu
expect 2 'whole number' --epochs 0
expect 2 'whole number' --epochs 3x
expect 2 'whole number' --batch=-1
expect 2 'whole number' --seed 99999999999999999999
expect 2 'needs a path' --out=
expect 0 '--precision' --help
expect 1 'sudo apt-get install dataset-fashion-mnist' --data "$folder/nowhere"
touch "$folder/file"
expect 1 'cannot be made' --out "$folder/file/below"
if [ -f /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz ]; then
    expect 1 'nowhere.safetensors' --limit 100 --device cpu --resume "$folder/nowhere.safetensors"
fi

# The script shows the program's own help, before anything is built.
diff <("$program" --help) <("$demo" --help | tail -n +3) || fail "demo.sh --help and the program's help differ"
