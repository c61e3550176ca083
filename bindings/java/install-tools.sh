#!/usr/bin/env bash
# Installs what building and testing the Java binding need, from the distribution alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib.sh
need_packages swig gcc libc6-dev default-jdk-headless python3
