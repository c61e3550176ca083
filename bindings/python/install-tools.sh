#!/usr/bin/env bash
# Installs what building and testing the package need from the distribution; the rest comes from PyPI, into an environment of the tests' own.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib.sh
need_packages gcc libc6-dev python3-dev python3-venv valgrind
