#!/usr/bin/env bash
# as-root.sh [--ask] COMMAND...: runs a command as root. Without --ask that is where it is possible without a password; otherwise as the
# user, and says what that skips. PATH and the variables of tests go along: sudo has a PATH of its own.
set -euo pipefail
ask=
if [ "${1:-}" = --ask ]; then
    ask=1
    shift
fi
if [ "$(id -u)" -eq 0 ]; then exec "$@"; fi
along=(PATH="$PATH")
for name in NETPOLD_STRICT NETPOLD_DIFF_FLOWS NETPOLD_DIFF_SEED NETPOLD_DIFF_PER_CLUSTER NETPOLD_PACKETS NETPOLD_FLOOD NETPOLD_LOOKUPS NETPOLD_KILL_EVERYWHERE NETPOLD_CHANGE_STEPS \
    CHAOS_SECONDS CHAOS_SEED LEAK_CHANGES KUBECONFIG SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH; do
    [ -z "${!name+x}" ] || along+=("$name=${!name}")
done
if [ -n "$ask" ]; then exec sudo env "${along[@]}" "$@"; fi
if sudo -n true 2>/dev/null; then exec sudo -n env "${along[@]}" "$@"; fi
echo "netpold: not root: what needs the kernel is skipped or refused" >&2
exec "$@"
