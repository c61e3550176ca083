#!/bin/sh
# Runs a program with a copy of the library in a folder of its own, to see what it does with what lies beside it.
# usage: beside.sh LIBRARY_FOLDER two_copies|cpu|no-cpu|no-cuda PROGRAM
set -eu
from=$1 mode=$2 program=$3
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp "$from/libmpt.so.0" "$copy/"
case $mode in
    two_copies) cp "$from"/libmpt_*.so "$copy/" && "$program" "$from/libmpt.so.0" "$copy/libmpt.so.0" ;;
    cpu | no-cuda) cp "$from/libmpt_cpu.so" "$copy/" && "$program" "$copy/libmpt.so.0" "$mode" ;;
    no-cpu) "$program" "$copy/libmpt.so.0" "$mode" ;;
esac
