#!/usr/bin/env bash
# errors_all.sh PROGRAM FOLDER: what every sample says to wrong options and missing data. SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source=tests/samples/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
program=$1 folder=$2
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

expect 2 'no such option' --nonsense
expect 2 'f32 f16 bf16 fp8' --precision f8
expect 2 'current delayed unscaled' --recipe none
expect 2 'whole number' --seed x
expect 0 '--recipe current|delayed|unscaled' --help
case ${program##*/} in
gpt)
    expect 2 'no such option' --epochs 3
    expect 2 'number from' --temperature hot
    expect 2 'number from' --rate nan
    expect 2 'must divide the width' --width 30 --heads 4
    expect 1 'scripts/data.sh r-cran-janeaustenr' --data "$folder/nowhere"
    ;;
lstm)
    expect 2 'no such option' --bidirectional=1
    expect 2 'needs a value' --hidden
    expect 1 'scripts/data.sh wordnet-base' --data "$folder/nowhere"
    ;;
*)
    expect 2 'whole number' --epochs 0
    expect 1 'sudo apt-get install dataset-fashion-mnist' --data "$folder/nowhere"
    ;;
esac
touch "$folder/file"
expect 1 'cannot be made' --out "$folder/file/below"

# What shows only with data: patterns that match nothing, a checkpoint of another precision, a schedule of one step.
need_data "${program##*/}"
small "${program##*/}"
args+=(--device cpu --out "$folder/out")
expect 2 'The layers with weights are' "${args[@]}" --precision fp8 --keep '*,nowhere'
expect 0 written: "${args[@]}" --stop 1
checkpoint=$folder/out/checkpoint.safetensors
expect 0 'saved with --precision f32 and goes on with --precision bf16' "${args[@]}" --resume "$checkpoint" --precision bf16 --stop 1
expect 2 'saved with --precision f32 and cannot go on with --precision f16' "${args[@]}" --resume "$checkpoint" --precision f16
case ${program##*/} in
gpt) expect 0 'bits per character' "${args[@]}" --steps 1 ;;
resnet18) expect 0 accuracy: "${args[@]}" --epochs 1 --limit 16 ;;
esac
