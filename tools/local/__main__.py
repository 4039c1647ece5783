"""Run each function in a container, against ministack and the simulator on this machine: `make local`.

`LOCAL_FLAGS` is handed to `sam local invoke`: `LOCAL_FLAGS=--skip-pull-image make local` takes the image that is there.
"""

import argparse
import datetime as dt
import os
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import boto3

from tests.integration.stage import HOUR, PROVIDERS, Clock, Stage
from tests.simulator import HOSTS, Simulator
from tests.truth import Place
from tools.local.check import check, check_proof
from tools.local.container import bridge_address, invoke
from tools.lock import ROOT
from tools.registry import logical
from tools.stack import (
    Ended,
    StackError,
    aws,
    build,
    check_machine,
    end_on_signals,
    free_port,
    ministack,
    only_one_at_a_time,
)

EVENTS = ROOT / "events" / "local"
SOURCE = "local"
VARIABLES = ("ARCHIVE_BUCKET", "LEDGER_TABLE", "SOURCES_PATH", "SECRETS_PREFIX", "AWS_ENDPOINT_URL")
NOTARY_EVENT, NOTARY_VARIABLE = ROOT / "events" / "notary.json", "PROOF_KEY"
#: How many hours are archived, and how many of them are due even for the provider with the longest `delay`.
HOURS, LEAST = 5, 2
#: Of the traffic that the simulator plays by default.
SCALE = 0.1


def main() -> int:
    """Invoke every function; return 0 only if the bucket equals the simulator's records."""
    argparse.ArgumentParser(prog="make local", description=__doc__).parse_args()
    end_on_signals()
    try:
        return _play()
    except StackError as error:
        print(f"make local: {error}", file=sys.stderr)
        return 1
    except Ended:
        print("make local: stopped; nothing is left running", file=sys.stderr)
        return 130


def _play() -> int:
    check_machine()
    address = bridge_address()
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = f"localhost,127.0.0.1,{address}"
    with (
        ministack(free_port(address), host=address) as (endpoint, _process_id, folder),
        Simulator(host=address, scale=SCALE) as simulator,
        only_one_at_a_time(),
    ):
        print(f"AWS at {endpoint}, the providers at {simulator.url}", flush=True)
        build({}, _step)
        on = Stage(aws(endpoint), simulator, Clock(dt.datetime.now(dt.UTC)))
        on.put_secrets()
        good = [_archives(on, provider, folder) for provider in PROVIDERS]
        good.append(_signs(on, folder))
    return 0 if all(good) else 1


def _archives(on: Stage, provider: str, folder: Path) -> bool:
    """Let one function archive some hours; return whether its rows equal the simulator's records."""
    began = time.monotonic()
    event = EVENTS / f"{provider}.json"
    start = on.clock.now.replace(minute=0, second=0, microsecond=0) - HOURS * HOUR
    hosts = HOSTS[:3] if provider == "dsa" else ()
    more = {"hosts": hosts} if hosts else {}
    on.put_source(provider, SOURCE, start=f"{start:%Y-%m-%dT%H:%M:%SZ}", **more)
    result = invoke(f"{logical(provider)}Function", event, _variables(on, provider), folder)
    checked = check(on, Place(provider, SOURCE), result, start, LEAST, hosts)
    done = f"{checked.windows} windows, {checked.rows} rows: each equals its record"
    _report(provider, event, done, checked.differences, began)
    return not checked.differences


def _signs(on: Stage, folder: Path) -> bool:
    """Let the notary sign what the functions have archived; return whether a copy of the bucket can be verified."""
    began = time.monotonic()
    key = boto3.client("kms", **on.access).create_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
    variables = _variables(on, "notary") | {NOTARY_VARIABLE: key["KeyMetadata"].get("Arn", "")}
    invoke(f"{logical('notary')}Function", NOTARY_EVENT, variables, folder)
    differences = check_proof(on, folder / "copy")
    _report("notary", NOTARY_EVENT, "a copy of the bucket is verified", differences, began)
    return not differences


def _report(function: str, event: Path, done: str, differences: Sequence[str], began: float) -> None:
    said = "FAIL" if differences else f"{done} ({time.monotonic() - began:.1f} s)"
    print(f"{function:<12}{event.relative_to(ROOT)!s:<32}{said}", flush=True)
    for difference in differences[:10]:
        print(f"  {difference}", flush=True)


def _variables(on: Stage, function: str) -> dict[str, str]:
    sources = f"/{on.name}/sources/{function}"
    values = (on.aws.store.bucket, on.aws.table.table.name, sources, on.name, on.access["endpoint_url"])
    return dict(zip(VARIABLES, values, strict=True))


@contextmanager
def _step(name: str) -> Generator[None]:
    began = time.monotonic()
    yield
    print(f"{name} ({time.monotonic() - began:.1f} s)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
