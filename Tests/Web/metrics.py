"""What is served at /metrics: every name is documented, and promtool takes it."""

import os
import re
import subprocess


def documented(rig):
    """Every name that is served or alerted on is in the table of cloud/METRICS.md."""
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "cloud")
    with open(os.path.join(root, "METRICS.md")) as file:
        table = set(re.findall(r"^\| `(hearth_[a-z_]+)`", file.read(), re.MULTILINE))
    with open(os.path.join(root, "alerts.rules.yml")) as file:
        used = set(re.findall(r"\bhearth_[a-z_]+", file.read()))
    served = set()
    for port in (rig.web, rig.cloud_http):
        served |= set(re.findall(r"^# TYPE (hearth_[a-z_]+)", rig.get("/metrics", port=port)[2], re.MULTILINE))
    assert served <= table, f"not documented: {sorted(served - table)}"
    assert used <= table, f"alerts on what is not documented: {sorted(used - table)}"
    return f"{len(served)} served of {len(table)} documented"


def accepted(rig, promtool):
    for name, port in (("hearth-web", rig.web), ("hearth-cloud", rig.cloud_http)):
        status, headers, body = rig.get("/metrics", port=port)
        assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4"), (name, status, headers)
        result = subprocess.run([promtool, "check", "metrics"], input=body, text=True, capture_output=True)
        assert result.returncode == 0, f"{name}: {result.stdout}{result.stderr}"
