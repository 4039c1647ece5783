"""Runs every linter and type checker (`make lint`), even after one has failed, so that one run shows all faults."""

import argparse
import os
import subprocess
import sys
import time

from tools.lock import ROOT

BIN = ROOT / ".venv" / "bin"
CHECKS = (
    ("ruff", "check", "--quiet"),
    ("ruff", "format", "--check", "--quiet"),
    ("python", "-m", "tools.lock", "--check"),
    ("python", "-m", "tools.docs", "--check"),
    ("python", "-m", "tools.named_query", "--check"),
    ("python", "-m", "tools.history_stack", "--check"),
    ("mypy", "--no-error-summary"),
    ("pyright",),
    ("lint-imports", "--no-logo"),
    ("cfn-lint", "template.yaml"),
    ("../../.tools/sam/bin/sam", "validate"),
    ("python", "-m", "tools.checkov"),
)


def passes(check: tuple[str, ...]) -> bool:
    """Run one check; print its output only if it fails."""
    start = time.monotonic()
    environment = os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"layers/shared{os.pathsep}.",  # import-linter imports the packages
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "us-east-1",  # cfn-lint and sam ask for one; they call nothing
    }
    done = subprocess.run(
        [BIN / check[0], *check[1:]], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    ok = done.returncode == 0
    name = " ".join(check).rpartition("/bin/")[2].replace("python -m tools.", "")
    print(f"{'ok  ' if ok else 'FAIL'} {name} ({time.monotonic() - start:.1f} s)", flush=True)
    if not ok:
        print(done.stdout + done.stderr, flush=True)
    return ok


def main() -> int:
    """Run all checks and fail if one did."""
    argparse.ArgumentParser(prog="make lint", description=__doc__).parse_args()
    results = [passes(check) for check in CHECKS]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
