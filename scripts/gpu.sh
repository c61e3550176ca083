#!/usr/bin/env bash
# On a machine with a GPU: runs the CUDA instances of the tests from a finished build, many at once.
# usage: scripts/gpu.sh tests BUILD [FILTER]      the test program, in shards; FILTER as gtest's (default '*cuda*')
#        scripts/gpu.sh training BUILD [FILTER]   the tests of whole steps, which have no instances: with MPT_TEST_DEVICE=cuda
#        scripts/gpu.sh sanitize BUILD [FILTER]   the first under compute-sanitizer (TOOL, default memcheck)
# Prints the failed tests and a summary; full output in $OUT (default BUILD/gpu).
# SPDX-License-Identifier: Apache-2.0
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=${1:-} build=${2:-} filter=${3:-}
[ -n "$mode" ] && [ -x "$build/bin/mpt_tests" ] || { sed -n '2,/^# SPDX/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
out=${OUT:-$build/gpu}
mkdir -p "$out"
export LD_LIBRARY_PATH=$PWD/$build/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

shards=${SHARDS:-$(nproc)}
wrapper=()
case $mode in
    tests) filter=${filter:-*cuda*} ;;
    training) filter=${filter:-$(grep -v '^#' tests/training/on_a_gpu.txt | paste -sd:)}; export MPT_TEST_DEVICE=cuda ;;
    sanitize) filter=${filter:-*cuda*}; wrapper=(compute-sanitizer --tool "${TOOL:-memcheck}" --error-exitcode 99 --target-processes all)
              # Some of cuDNN's kernels are reported, which we cannot mend. Ours have the project's namespace in their names, and more of
              # them run where cuDNN cannot be opened.
              if [ "${TOOL:-memcheck}" = racecheck ]; then
                  wrapper+=(--kernel-name kernel_substring=mpt)
                  mkdir -p "$out/no_cudnn" && : >"$out/no_cudnn/libcudnn.so.9"
                  LD_LIBRARY_PATH=$(realpath "$out/no_cudnn"):$LD_LIBRARY_PATH
              fi ;;
    *) exit 2 ;;
esac
# Neighbours in the list use the same kernels, which the sanitizer instruments once in each process: so each shard takes a piece of the list.
"$build/bin/mpt_tests" --gtest_list_tests --gtest_filter="$filter" |
    awk '/^[^ ]/ { suite = $1; next } { print suite $1 }' >"$out/$mode.list"
total=$(wc -l <"$out/$mode.list")
for ((i = 0; i < shards; ++i)); do
    piece=$(sed -n "$((total * i / shards + 1)),$((total * (i + 1) / shards))p" "$out/$mode.list" | paste -sd:)
    [ -z "$piece" ] || printf -- '--gtest_filter=%s\n' "$piece" >"$out/$mode.$i.flags"
    [ -z "$piece" ] || "${wrapper[@]}" "$build/bin/mpt_tests" --gtest_flagfile="$out/$mode.$i.flags" --gtest_brief=0 >"$out/$mode.$i.log" 2>&1 &
done
wait
cat "$out/$mode".*.log >"$out/$mode.all"
rm -f "$out/$mode".[0-9]*.{log,flags}
mv "$out/$mode.all" "$out/$mode.log"
grep -E '^\[  FAILED  \] [^ ]+\.' "$out/$mode.log" | sed 's/, where.*//; s/ (.*//' | sort -u >"$out/$mode.failed"
grep -E '========= (ERROR|Invalid|Program hit)|Segmentation|terminate' "$out/$mode.log" | sort | uniq -c | sort -rn | head -20
sed 's/.*\/\([a-z0-9_]*\)_.*_cuda.*/\1/' "$out/$mode.failed" | sort | uniq -c | sort -rn | head -60
ok=$(grep -c '^\[       OK' "$out/$mode.log") failed=$(wc -l <"$out/$mode.failed") skipped=$(grep -cE '^\[  SKIPPED \] [^ ]+ \(' "$out/$mode.log")
ran=$(grep -c '^\[ RUN' "$out/$mode.log")
echo "$mode: $ran started, $ok passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$ok" -eq $((ran - skipped)) ]
