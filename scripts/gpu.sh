#!/usr/bin/env bash
# On a machine with a GPU: runs the CUDA instances of the tests from a finished build, many at once.
# usage: scripts/gpu.sh tests BUILD [FILTER]      the test program, in shards; FILTER as gtest's (default '*cuda*')
#        scripts/gpu.sh sanitize BUILD [FILTER]   the same under compute-sanitizer's memcheck
# Prints the failed tests and a summary; full output in $OUT (default BUILD/gpu).
# SPDX-License-Identifier: Apache-2.0
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=${1:-} build=${2:-} filter=${3:-*cuda*}
[ -n "$mode" ] && [ -x "$build/bin/mpt_tests" ] || { sed -n '2,/^# SPDX/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
out=${OUT:-$build/gpu}
mkdir -p "$out"
export LD_LIBRARY_PATH=$PWD/$build/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

shards=${SHARDS:-$(nproc)}
wrapper=()
case $mode in
    tests) ;;
    sanitize) wrapper=(compute-sanitizer --tool "${TOOL:-memcheck}" --error-exitcode 99 --target-processes all) ;;
    *) exit 2 ;;
esac
for ((i = 0; i < shards; ++i)); do
    GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$i "${wrapper[@]}" "$build/bin/mpt_tests" --gtest_filter="$filter" --gtest_brief=0 \
        >"$out/$mode.$i.log" 2>&1 &
done
wait
cat "$out/$mode".*.log >"$out/$mode.all"
rm -f "$out/$mode".[0-9]*.log
mv "$out/$mode.all" "$out/$mode.log"
grep -E '^\[  FAILED  \] [^ ]+\.' "$out/$mode.log" | sed 's/, where.*//; s/ (.*//' | sort -u >"$out/$mode.failed"
grep -E '========= (ERROR|Invalid|Program hit)|Segmentation|terminate' "$out/$mode.log" | sort | uniq -c | sort -rn | head -20
sed 's/.*\/\([a-z0-9_]*\)_.*_cuda.*/\1/' "$out/$mode.failed" | sort | uniq -c | sort -rn | head -60
ok=$(grep -c '^\[       OK' "$out/$mode.log") failed=$(wc -l <"$out/$mode.failed") skipped=$(grep -cE '^\[  SKIPPED \] [^ ]+ \(' "$out/$mode.log")
ran=$(grep -c '^\[ RUN' "$out/$mode.log")
echo "$mode: $ran started, $ok passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$ok" -eq $((ran - skipped)) ]
