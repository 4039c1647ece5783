"""Runs checkov on the template: each check that fails must be listed in `.checkov.yaml` with a reason, and no other."""

import json
import re
import subprocess
import sys
import tempfile
from typing import Any

from tools.lock import ROOT

CHECKOV = ROOT / ".tools" / "checkov" / "bin" / "checkov"
SKIPPED = re.compile(r"^  - (?P<check>CKV\w+)(?: # (?P<reason>.+))?$", re.MULTILINE)


def failed() -> dict[str, set[str]]:
    """Return the checks that fail when none is skipped, each with the resources that fail it."""
    command = [str(CHECKOV), "--file", str(ROOT / "template.yaml"), "--framework", "cloudformation", "--skip-download"]
    with tempfile.TemporaryDirectory() as elsewhere:  # where it does not find our list
        done = subprocess.run(
            [*command, "--output", "json"], cwd=elsewhere, capture_output=True, text=True, check=False
        )
    results: dict[str, Any] = json.loads(done.stdout)["results"]
    if len(results["passed_checks"]) < len(results["failed_checks"]):
        sys.exit(f"checkov has hardly looked at anything: {len(results['passed_checks'])} checks passed")
    failed: dict[str, set[str]] = {}
    for check in results["failed_checks"]:
        failed.setdefault(check["check_id"], set()).add(check["resource"])
    return failed


def complaints(failed: dict[str, set[str]], config: str) -> list[str]:
    """Compare the checks that fail with those that are listed."""
    skipped = {match["check"]: match["reason"] for match in SKIPPED.finditer(config)}
    said = [f"{check}: {', '.join(sorted(failed[check]))}" for check in sorted(set(failed) - set(skipped))]
    said += [f"{check} is skipped, but nothing fails it" for check in sorted(set(skipped) - set(failed))]
    return said + [f"{check} is skipped without a reason" for check, reason in skipped.items() if not reason]


def main() -> int:
    """Run checkov and print what is wrong."""
    said = complaints(failed(), (ROOT / ".checkov.yaml").read_text())
    for line in said:
        print(line, file=sys.stderr)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
