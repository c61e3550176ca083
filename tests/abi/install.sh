#!/bin/sh
# Installs into one folder, moves it, and builds a program against it in three ways: find_package, pkg-config, C++98.
# usage: install.sh CMAKE BUILD_FOLDER CONSUMER_FOLDER CC CXX
set -eu
cmake=$1 build=$2 consumer=$3 cc=$4 cxx=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

DESTDIR="$work/stage" "$cmake" --install "$build" --prefix /opt/mpt >"$work/install.log"
mv "$work/stage/opt/mpt" "$work/moved"
cd "$work/moved"
lib=$(dirname "$(find . -name libmpt.so | head -1)")
for file in "$lib/libmpt.so" "$lib/libmpt.so.0" "$lib/libmpt_cpu.so" "$lib/cmake/mpt/mptConfig.cmake" "$lib/pkgconfig/mpt.pc" \
    include/mpt.h share/mpt/mpt.json share/doc/mpt/LICENSE; do
    [ -e "$file" ] || { echo "not installed: $file"; cat "$work/install.log"; exit 1; }
done
[ "$(find include -type f | wc -l)" = 1 ] || { echo "more than one header was installed:"; find include -type f; exit 1; }
if grep -rlF "$build" "$lib/cmake" "$lib/pkgconfig"; then echo "these files name the build folder"; exit 1; fi

echo "find_package:"
"$cmake" -S "$consumer" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$work/moved" -DCMAKE_C_COMPILER="$cc" >"$work/configure.log" ||
    { cat "$work/configure.log"; exit 1; }
"$cmake" --build "$work/consumer" >"$work/build.log" || { cat "$work/build.log"; exit 1; }
"$work/consumer/consumer"

export LD_LIBRARY_PATH="$work/moved/${lib#./}"
echo "C++98:"
"$cxx" -std=c++98 -pedantic -Wall -Wextra -Werror -x c++ "$consumer/main.c" -o "$work/plus" \
    -I"$work/moved/include" -L"$LD_LIBRARY_PATH" -lmpt
"$work/plus"
if ! command -v pkg-config >/dev/null; then echo "skipped: pkg-config is not installed"; exit 77; fi
echo "pkg-config:"
flags=$(PKG_CONFIG_PATH="$LD_LIBRARY_PATH/pkgconfig" pkg-config --cflags --libs mpt)
# The flags are words of a command line.
# shellcheck disable=SC2086
"$cc" -std=c89 -pedantic -Wall -Wextra -Werror "$consumer/main.c" -o "$work/plain" $flags
"$work/plain"
