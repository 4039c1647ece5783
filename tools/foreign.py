"""Runs the tests of the store, of two workers and of the whole way on another S3 than the emulator's (`make foreign`).

The other S3 is Versity Gateway, which Go builds from the versions and hashes of `tools/versitygw`. The rest of AWS is
played by the emulator, as in `make test`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tools.lock import ROOT
from tools.stack import LOOPBACK, REGION, Ended, StackError, address_is_taken, end_on_signals, free_port, stop

MODULE = ROOT / "tools" / "versitygw"
GATEWAY = ROOT / ".tools" / "versitygw"
TESTS = ("test_on_emulator.py", "test_truth.py", "test_bad_input.py", "test_error_responses.py")
#: Takes many minutes, and says nothing more of S3.
LEFT_OUT = "not hundred_thousand"
START_SECONDS = 30


def build(program: Path, go: str | None) -> None:
    """Build the gateway if it is missing, or older than its lock file. Raises StackError."""
    if program.exists() and program.stat().st_mtime >= (MODULE / "go.sum").stat().st_mtime:
        return
    if go is None:
        raise StackError("the other S3, Versity Gateway, is built with Go 1.25 or later: install Go")
    print("building Versity Gateway with Go, once: about two minutes", flush=True)
    command = [go, "build", "-mod=readonly", "-o", str(program), "github.com/versity/versitygw/cmd/versitygw"]
    built = subprocess.run(command, cwd=MODULE, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if built.returncode:
        last = "\n".join(built.stderr.splitlines()[-10:])
        raise StackError(f"Go could not build Versity Gateway; if a download failed, try again:\n{last}")


@contextmanager
def gateway(program: Path, port: int, buckets: Path | None = None) -> Generator[str]:
    """Run the gateway on that port of 127.0.0.1; yield its endpoint. Raises StackError.

    A folder of `buckets` is a bucket, and the files below it are its objects; without it there is none.
    """
    folder = Path(tempfile.mkdtemp(prefix="logarchive-"))
    for name in ("objects", "versions"):
        (folder / name).mkdir()
    log = folder / "gateway.log"
    command = [
        *(str(program), "--port", f"{LOOPBACK}:{port}", "--access", "test", "--secret", "test", "--region", REGION),
        *("--quiet", "posix", "--versioning-dir", str(folder / "versions"), str(buckets or folder / "objects")),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + START_SECONDS
        while not address_is_taken(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise StackError("Versity Gateway did not start:\n" + "\n".join(log.read_text().splitlines()[-10:]))
            time.sleep(0.1)
        yield f"http://{LOOPBACK}:{port}"
    finally:
        stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run the tests; return pytest's exit code, 1 if they could not be run."""
    end_on_signals()
    try:
        build(GATEWAY, shutil.which("go"))
        with gateway(GATEWAY, free_port()) as endpoint:
            print(f"S3 is Versity Gateway at {endpoint}", flush=True)
            tests = [str(Path("tests", "integration", name)) for name in TESTS]
            environment = os.environ | {"AWS_ENDPOINT_URL_S3": endpoint}
            command = [sys.executable, "-m", "pytest", "-m", "", "-k", LEFT_OUT, *tests]
            return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    except StackError as error:
        print(f"make foreign: {error}", file=sys.stderr)
        return 1
    except Ended:
        return 130


if __name__ == "__main__":
    sys.exit(main())
