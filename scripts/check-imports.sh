#!/usr/bin/env bash
# check-imports.sh [--graph]: who may import what, between modules and between the folders of a module.
set -euo pipefail
exec python3 "$(dirname "$0")/check-imports.py" "$@"
