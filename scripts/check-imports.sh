#!/usr/bin/env bash
# The module rules of ARCHITECTURE.md, checked: who may import what.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
refuse() { # what, pattern, paths...
    local what=$1 pattern=$2
    shift 2
    local found
    found=$(grep -rnE --include='*.swift' "^[[:space:]]*(@[a-zA-Z_()]+[[:space:]]+)?((public|package|internal|fileprivate|private)[[:space:]]+)?import[[:space:]]+(struct |func |enum |class )?($pattern)([[:space:].]|$)" "$@" || true)
    if [ -n "$found" ]; then
        printf 'import rule: %s\n%s\n' "$what" "$found" >&2
        status=1
    fi
}
others=()
for folder in Sources/*/; do
    case "$folder" in Sources/Datapath/ | Sources/CLib*) ;; *) others+=("$folder") ;; esac
done
refuse 'only Datapath talks to libbpf and libnl' 'CLibBPF|CLibNL' "${others[@]}"
outside=()
for folder in Sources/*/; do
    case "$folder" in Sources/PolicyIR/) ;; *) outside+=("$folder") ;; esac
done
refuse 'only PolicyIR talks to RE2' 'CRE2' "${outside[@]}"
refuse 'Support knows nothing of netpold' 'PolicyIR|BPFEmit|CNetpoldABI|CLib.*|CLinux|Datapath|Agent|LabKit|BenchKit|Logging|ArgumentParser|Yams' Sources/Support
refuse 'PolicyIR is pure: no I/O, no clock, no kernel' 'Foundation|Glibc|Dispatch|SystemPackage|CLinux|CNetpoldABI|BPFEmit|Datapath|Agent|LabKit|BenchKit|Logging' Sources/PolicyIR
refuse 'of Support, PolicyIR takes the text style alone' 'Support' Sources/PolicyIR/[!D]* Sources/PolicyIR/D[!i]*
refuse 'BPFEmit is pure: no I/O, no clock, no kernel' 'Foundation|Glibc|Dispatch|SystemPackage|CLinux|Support|Datapath|Agent|LabKit|BenchKit|Logging' Sources/BPFEmit
refuse 'Datapath knows neither the agent nor labs nor commands' 'Agent|LabKit|BenchKit|ArgumentParser' Sources/Datapath
refuse 'Agent sees the kernel only through protocols' 'Datapath|LabKit|BenchKit|CLinux|ArgumentParser' Sources/Agent
refuse 'LabKit knows neither benches nor commands' 'BenchKit|ArgumentParser' Sources/LabKit
refuse 'BenchKit knows neither the agent nor commands' 'Agent|ArgumentParser' Sources/BenchKit
refuse 'arguments are read by commands alone' 'ArgumentParser' Sources/netpold/Rendering Sources/netpold/Testing
exit "$status"
