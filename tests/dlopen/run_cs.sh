#!/bin/sh
# Compiles a C# program and runs it with a library as its "libmpt". usage: run_cs.sh MCS MONO LIBRARY SOURCE
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" -warnaserror+ -out:"$work/program.exe" "$4"
# How Mono finds a library by another name than a file's on its path.
echo "<configuration><dllmap dll=\"libmpt\" target=\"$3\"/></configuration>" >"$work/program.exe.config"
"$2" "$work/program.exe"
