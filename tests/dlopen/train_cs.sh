#!/bin/sh
# Compiles Train.cs and runs it against a library. usage: train_cs.sh MCS MONO LIBRARY
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" -warnaserror+ -out:"$work/Train.exe" "$here/Train.cs"
# How Mono finds a library by another name than a file's on its path.
echo "<configuration><dllmap dll=\"libmpt\" target=\"$3\"/></configuration>" >"$work/Train.exe.config"
"$2" "$work/Train.exe"
