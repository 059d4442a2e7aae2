#!/usr/bin/env bash
# Runs a command as root where that is possible without a password; otherwise as the user, and says what that skips.
set -euo pipefail
if [ "$(id -u)" -eq 0 ]; then exec "$@"; fi
if sudo -n true 2>/dev/null; then exec sudo -n --preserve-env=PATH,NETPOLD_STRICT,NETPOLD_DIFF_FLOWS,NETPOLD_DIFF_SEED,NETPOLD_DIFF_PER_CLUSTER,NETPOLD_PACKETS,NETPOLD_FLOOD,NETPOLD_LOOKUPS,CHAOS_SECONDS,CHAOS_SEED,LEAK_CHANGES,KUBECONFIG,SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH "$@"; fi
echo "netpold: not root: what needs the kernel is skipped or refused" >&2
exec "$@"
