#!/usr/bin/env bash
# conformance.sh NETPOLD FOLDER: the PolicyTest folders on the evaluator and, as root, on the kernel.
set -euo pipefail
netpold=$1
folder=$2
if [ ! -d "$folder" ]; then
    echo "conformance: $folder is not there, skipped"
    exit 0
fi
echo "== evaluator"
"$netpold" test "$folder"
if [ "$(id -u)" -eq 0 ]; then
    echo "== kernel"
    "$netpold" test --kernel "$folder"
else
    echo "== kernel: skipped, not root"
fi
