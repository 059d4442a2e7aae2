"""helm-template.py CHART [VALUES [NAMESPACE]]: what `helm template` prints of a chart, by Helm's own engine (PyPI: helm-python-sdk).

VALUES is JSON. Values that the chart's schema refuses are an error, as they are for `helm install`.
"""

import json
import sys

import helm_python as helm

chosen = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
namespace = sys.argv[3] if len(sys.argv) > 3 else "kube-system"
with helm.Chart.load(sys.argv[1]) as chart:
    chart.validate_schema(chosen)
    rendered = chart.render(chosen, name="netpold", namespace=namespace)
for path, text in sorted(rendered.items()):
    if text.strip() and not path.endswith("NOTES.txt"):
        print(f"---\n# Source: {path}\n{text}")
