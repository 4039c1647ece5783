"""Runs a function in a container with `sam local`, and finds the address at which a container reaches this machine."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tools.lock import ROOT
from tools.stack import SAM, StackError, account, bare_environment, free_port, overrides, stop

#: The variable whose flags are passed on to `sam local invoke`.
FLAGS = "LOCAL_FLAGS"
CONTAINER = re.compile(r"SAM_CONTAINER_ID: ([0-9a-f]+)")
#: What `sam local` logs when three requests within 0.3 s did not reach the emulator in the container: Docker takes
#: connections sooner than the emulator does. `sam` then ends only after the whole timeout of the function (sam-cli
#: 1.170, `wait_for_http_response` of samcli/local/docker/container.py).
UNANSWERED = "No response from invoke container"
#: The first line that the emulator logs about an invocation.
BEGUN = "START RequestId"
ATTEMPTS = 3
GATEWAY = "{{range .IPAM.Config}}{{.Gateway}} {{end}}"


def bridge_address() -> str:
    """Return the address at which a container reaches this machine; what listens there is seen by no other machine.

    Raises StackError if there is no container engine here, or one whose bridge is not on this machine.
    """
    if not shutil.which("docker"):
        raise StackError("docker is missing: `sam local` runs the functions in containers")
    asked = subprocess.run(
        ["docker", "network", "inspect", "bridge", "--format", GATEWAY], capture_output=True, text=True, check=False
    )
    addresses = [address for address in asked.stdout.split() if "." in address]
    if asked.returncode or not addresses:
        raise StackError(f"docker does not respond: {(asked.stderr or asked.stdout).strip()}")
    try:
        free_port(addresses[0])
    except OSError:
        raise StackError(
            f"docker's bridge ({addresses[0]}) is not on this machine, so no container could reach what runs here; "
            "this needs an engine that is neither rootless nor in a virtual machine"
        ) from None
    return addresses[0]


def invoke(function: str, event: Path, variables: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """Run `sam local invoke` and return the function's result. Raises StackError if it fails or returns none.

    `sam local` sets only variables that the template names. An invocation that did not reach its container is repeated.
    """
    given = folder / "variables.json"
    given.write_text(json.dumps({"Parameters": dict(variables)}))
    flags = [*overrides({}), *shlex.split(os.environ.get(FLAGS, ""))]
    command: list[str | Path] = [SAM, "local", "invoke", function, "--event", event, "--env-vars", given, *flags]
    log = folder / f"{function}.log"
    said = ""
    for attempt in range(1, ATTEMPTS + 1):
        said = _run(command, variables, log)
        logged = log.read_text(errors="replace")
        if UNANSWERED not in logged or BEGUN in logged:
            break
        print(f"{function}: its container was not reached (attempt {attempt} of {ATTEMPTS})", file=sys.stderr)
    try:
        result: dict[str, Any] = json.loads(said.splitlines()[-1])
    except (IndexError, ValueError):
        raise StackError(f"sam local invoke {function} gave no result:\n{_end(log)}\n{said}") from None
    if not result.get("ok"):
        raise StackError(f"{function} failed: {json.dumps(result)[:1000]}\n{_end(log)}")
    return result


def _run(command: Sequence[str | Path], variables: Mapping[str, str], log: Path) -> str:
    """Return a command's output, none if its container was not reached; its log goes into a file.

    If it is interrupted, its container is removed; in any other case `sam` has done so.
    """
    environment = bare_environment(**account(variables["AWS_ENDPOINT_URL"]))
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
            start_new_session=True,
        ) as process,
    ):  # fmt: skip
        try:
            while UNANSWERED not in log.read_text(errors="replace"):
                with suppress(subprocess.TimeoutExpired):
                    return process.communicate(timeout=0.5)[0].decode("utf-8", "replace")
        except BaseException:
            stop(process)
            _remove(log)
            raise
        stop(process)
        return ""


def _remove(log: Path) -> None:
    """Remove the container whose id `sam` has logged: when `sam` is stopped it leaves it, when interrupted it hangs."""
    for container in CONTAINER.findall(log.read_text(errors="replace")):
        subprocess.run(["docker", "rm", "--force", container], capture_output=True, check=False)


def _end(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-30:])
