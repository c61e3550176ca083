#!/usr/bin/env bash
# Installs what building and testing the crates need, from the distribution alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib.sh
need_packages rustc cargo rust-clippy bindgen pkg-config valgrind python3
