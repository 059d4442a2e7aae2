#!/usr/bin/env bash
# conformance.sh NETPOLD FOLDER: the PolicyTest folders on the evaluator and, as root, on the kernel.
set -euo pipefail
netpold=$1
folder=$2
if [ ! -d "$folder" ]; then
    echo "conformance: $folder is not there, skipped"
    exit 0
fi
echo "== upstream and np-*: evaluator"
"$netpold" test "$folder/upstream" "$folder"/cilium/np-*
echo "== cnp-* and mixed-*: evaluator"
"$netpold" test "$folder"/cilium/cnp-* "$folder"/cilium/mixed-*
if [ "$(id -u)" -eq 0 ]; then
    echo "== upstream and np-*: kernel"
    "$netpold" test --kernel "$folder/upstream" "$folder"/cilium/np-*
    echo "== cnp-* and mixed-*: kernel"
    "$netpold" test --kernel "$folder"/cilium/cnp-* "$folder"/cilium/mixed-*
else
    echo "== kernel: skipped, not root"
fi
