#!/usr/bin/env bash
# conformance.sh NETPOLD FOLDER: decides the PolicyTest folders twice, by the evaluator and, as root, by the kernel. Nothing is
# skipped in silence: a missing or empty folder is an error, and without root the last line says which half did not run; in CI
# (CI is set) that is an error too.
set -euo pipefail
netpold=$1
folder=$2
count=0
[ ! -d "$folder" ] || count=$(find "$folder" -name test.yaml | wc -l)
if [ "$count" -eq 0 ]; then
    echo "conformance: no test.yaml in $folder" >&2
    exit 1
fi
echo "== evaluator"
"$netpold" test "$folder"
if [ "$(id -u)" -ne 0 ]; then
    echo "conformance: $count folders decided by the evaluator; NOT RUN: the same folders in the kernel (not root)"
    # What CI does not run it does not pass.
    [ -z "${CI:-}" ]
    exit
fi
echo "== kernel"
answers=$("$netpold" test --kernel "$folder" examples/l7)
echo "$answers"
if grep -q 'not decided' <<<"$answers"; then
    echo "conformance: requests were left undecided" >&2
    exit 1
fi
echo "conformance: $count folders decided by the evaluator and in the kernel"
