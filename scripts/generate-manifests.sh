#!/usr/bin/env bash
# Writes FILES manifests into FOLDER: namespaces with pods, services and policies of both kinds, as a big repository has them.
# For measuring: scripts/generate-manifests.sh /tmp/many 2000 && time netpold lint /tmp/many
set -euo pipefail
if [ $# -ne 2 ]; then
    echo "usage: $0 FOLDER FILES" >&2
    exit 2
fi
mkdir -p "$1"
awk -v folder="$1" -v files="$2" '
function team(n) { return "team-" int(n / 20) }
BEGIN {
    for (n = 0; n < files; n++) {
        file = sprintf("%s/app-%05d.yaml", folder, n)
        space = team(n)
        app = "app-" n
        if (n % 20 == 0) printf "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {group: g%d}}\n---\n", space, n % 7 > file
        for (p = 0; p < 3; p++) {
            printf "apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s-%d\n  namespace: %s\n  labels: {app: %s, tier: t%d}\n", app, p, space, app, n % 3 > file
            printf "spec:\n  nodeName: node-%d\n  containers:\n    - name: main\n      ports:\n        - {name: http, containerPort: 8080}\n", p > file
            printf "status: {podIP: 10.%d.%d.%d}\n---\n", int(n / 80) % 200 + 1, n % 80, p + 1 > file
        }
        printf "apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: %s}\nspec:\n  selector: {app: %s}\n  ports: [{port: 80, targetPort: http}]\n---\n", app, space, app > file
        printf "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: %s, namespace: %s}\nspec:\n  podSelector:\n    matchLabels: {app: %s}\n  policyTypes: [Ingress, Egress]\n", app, space, app > file
        printf "  ingress:\n    - from:\n        - podSelector:\n            matchLabels: {tier: t%d}\n        - namespaceSelector:\n            matchLabels: {group: g%d}\n          podSelector: {}\n      ports: [{port: http}]\n", (n + 1) % 3, n % 7 > file
        printf "  egress:\n    - to:\n        - podSelector:\n            matchLabels: {tier: t%d}\n      ports: [{port: 8080}]\n---\n", n % 3 > file
        printf "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: %s, namespace: %s}\nspec:\n  endpointSelector:\n    matchLabels: {app: %s}\n", app, space, app > file
        printf "  egress:\n    - toFQDNs: [{matchName: api%d.example.com}]\n      toPorts:\n        - ports: [{port: \"443\", protocol: TCP}]\n", n % 50 > file
        printf "    - toEndpoints:\n        - matchLabels: {k8s:io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns}\n      toPorts:\n        - ports: [{port: \"53\", protocol: ANY}]\n          rules: {dns: [{matchPattern: \"*.example.com\"}]}\n  egressDeny:\n    - toCIDR: [192.0.2.%d/32]\n", n % 250 > file
        close(file)
    }
}'
