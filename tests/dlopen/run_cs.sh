#!/bin/sh
# Compiles a C# program into a folder and runs it with a library as its "libmpt". usage: run_cs.sh MCS MONO LIBRARY SOURCE FOLDER
set -eu
mkdir -p "$5"
program=$5/$(basename "$4" .cs).exe
"$1" -warnaserror+ -out:"$program" "$4"
# How Mono finds a library by another name than a file's on its path.
echo "<configuration><dllmap dll=\"libmpt\" target=\"$3\"/></configuration>" >"$program.config"
exec "$2" "$program"
