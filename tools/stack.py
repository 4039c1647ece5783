"""The stack on this machine: ministack plays AWS, the user's own `sam build` and `sam deploy` put the template into it.

Nothing here can reach a real AWS account: keys are made up, profiles are hidden, and every address is on the loopback.
"""

import fcntl
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TypedDict

import boto3
from botocore.config import Config

from tools.lock import ROOT

REGION = "ap-northeast-2"
STACK = "logarchive"
LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 4566
#: Where the logs of what has failed are kept.
LOGS = ROOT / ".tools" / "demo"
#: For clients of the emulator: a busy machine takes its time, and to invoke a function twice makes it no faster.
PATIENCE_SECONDS = 960
PATIENT = Config(read_timeout=PATIENCE_SECONDS, connect_timeout=PATIENCE_SECONDS, retries={"total_max_attempts": 1})
SAM = ROOT / ".tools" / "sam" / "bin" / "sam"
MINISTACK = ROOT / ".tools" / "ministack" / "bin" / "ministack"
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}

#: Called with the name of a step; the step lasts as long as the context.
type Step = Callable[[str], AbstractContextManager[object]]


class StackError(Exception):
    """This machine lacks something, or a tool failed; the message is for the user."""


class Ended(BaseException):
    """The program was asked to end."""


def end_on_signals() -> None:
    """Raise Ended at the first signal that asks this program to end; the others are ignored from then on."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        for one in signals:
            signal.signal(one, signal.SIG_IGN)
        os.write(sys.stderr.fileno(), b"\nstopping\n")
        raise Ended

    for one in signals:
        signal.signal(one, end)


class Aws(TypedDict):
    """The arguments of every client, `boto3.client("s3", **stack.aws)`: the endpoint overrides all configuration."""

    endpoint_url: str
    region_name: str
    aws_access_key_id: str
    aws_secret_access_key: str


@dataclass(frozen=True)
class Stack:
    """A deployed stack: arguments for clients, its outputs, and the process and folder of its emulator."""

    aws: Aws
    outputs: Mapping[str, str]
    process_id: int
    folder: Path


@dataclass
class Afterwards:
    """What becomes of the processes that a block has started when it ends; may be changed until then."""

    run_on: bool = False


def aws(endpoint: str) -> Aws:
    """Return the arguments of a client that talks to that endpoint only."""
    return {
        "endpoint_url": endpoint,
        "region_name": REGION,
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }


def address_is_taken(port: int) -> bool:
    """Return whether something listens on that port of 127.0.0.1, or did a moment ago."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def free_port(host: str = LOOPBACK) -> int:
    """Return a free port of that address. Raises OSError if this machine does not have the address."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def check_machine(ports: Sequence[int] = ()) -> None:
    """Raise StackError, in one line, for the first tool that is missing or port that is taken."""
    if sys.platform != "linux" or platform.machine().lower() not in ARCHITECTURES:
        raise StackError("the functions run here as they would in AWS, which needs Linux on x86_64 or arm64")
    for tool in (SAM, MINISTACK):
        if not tool.exists():
            raise StackError(
                f"{tool.relative_to(ROOT)} is missing: run `make {tool.parents[1].relative_to(ROOT)}/installed`"
            )
    if not shutil.which("make"):
        raise StackError("make is missing: `sam build` needs it for the layer")
    for port in ports:
        if address_is_taken(port):
            raise StackError(f"port {port} of 127.0.0.1 is in use: stop what listens there, or use another")


def bare_environment(**more: str) -> dict[str, str]:
    """Return the shell's environment without its variables for AWS, proxies and Python."""
    hidden = ("AWS_", "SAM_", "PYTHON", "LOCALSTACK", "MINISTACK", "POWERTOOLS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    kept["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{kept.get('PATH', os.defpath)}"
    kept["NO_PROXY"] = kept["no_proxy"] = "localhost,127.0.0.1"
    return kept | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": REGION} | more


def account(endpoint: str) -> dict[str, str]:
    """Return the variables that send the AWS SDK and its tools to that endpoint, with made-up keys."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def run(command: Sequence[str | Path], environment: Mapping[str, str], what: str) -> None:
    """Run a tool quietly; if it fails, raise StackError with the end of its output."""
    process = subprocess.Popen(
        [str(word) for word in command], cwd=ROOT, env=dict(environment), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        said = process.communicate()[0].decode("utf-8", "replace")
    except BaseException:
        stop(process)  # and every process that it started
        raise
    if process.returncode:
        raise StackError(f"{what} failed:\n" + "\n".join(said.splitlines()[-30:]))


def overrides(parameters: Mapping[str, str]) -> list[str]:
    """Return the flag with these parameters for the template, and those that this machine and ministack need."""
    # ministack counts no metrics, so the notary could not read them.
    values = {"Architecture": ARCHITECTURES[platform.machine().lower()], "Alarms": "false"} | dict(parameters)
    return ["--parameter-overrides", *(f'{name}="{value}"' for name, value in values.items())]


@contextmanager
def only_one_at_a_time() -> Generator[None]:
    """Hold the build folder: two `sam` runs in it would take each other's files."""
    with (ROOT / ".tools" / "sam.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(parameters: Mapping[str, str], step: Step = nullcontext) -> None:
    """Build the functions and their layer into `.aws-sam`, which the caller holds (`only_one_at_a_time`)."""
    with step("sam build"):
        run([SAM, "build", *overrides(parameters)], bare_environment(), "sam build")


def build_and_deploy(endpoint: str, parameters: Mapping[str, str], step: Step = nullcontext) -> dict[str, str]:
    """Do what a user does, `sam build && sam deploy`, and return the stack's outputs."""
    with only_one_at_a_time():
        build(parameters, step)
        return deploy(endpoint, parameters, step)


def deploy(endpoint: str, parameters: Mapping[str, str], step: Step = nullcontext) -> dict[str, str]:
    """Deploy what was built, and return the stack's outputs."""
    with step("sam deploy"):
        run([SAM, "deploy", *overrides(parameters)], bare_environment(**account(endpoint)), "sam deploy")
    stack = boto3.client("cloudformation", config=PATIENT, **aws(endpoint)).describe_stacks(StackName=STACK)["Stacks"][
        0
    ]
    outputs: list[Any] = list(stack.get("Outputs", []))
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def wait_until_ready(process: subprocess.Popen[bytes], endpoint: str, log: Path, seconds: float = 600) -> None:
    """Wait for ministack's health page; raise StackError if it ends or does not respond. A busy machine takes long."""
    page = f"{endpoint}/_ministack/health"
    deadline = time.monotonic() + seconds
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while process.poll() is None and time.monotonic() < deadline:
        try:
            direct.open(page, timeout=10).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    code = process.poll()
    what = (
        f"did not answer at {page} within {seconds:.0f} s" if code is None else f"ended before it answered, with {code}"
    )
    lines = log.read_text(errors="replace").splitlines()
    raise StackError(
        "\n".join(
            [f"ministack, the emulator of AWS, {what}. Its whole log: {kept_log(log)}; the end of it:", *lines[-20:]]
        )
    )


def kept_log(log: Path) -> Path:
    """Copy a log to where it stays when its folder is removed; return that place."""
    LOGS.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(log, LOGS / log.name))


def stop(process: subprocess.Popen[bytes], seconds: float = 10) -> None:
    """End a process that leads a group, and every process of the group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue


@contextmanager
def ministack(
    port: int, *, host: str = LOOPBACK, afterwards: Afterwards | None = None
) -> Generator[tuple[str, int, Path]]:
    """Run ministack on that address; yield its endpoint, process id and folder."""
    folder = Path(tempfile.mkdtemp(prefix="logarchive-"))
    log = folder / "ministack.log"
    # The functions inherit this environment: as little of the machine's as possible.
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": host,
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "ATHENA_ENGINE": "duckdb",  # not installed there: an error is better than made-up results
        "IOT_MTLS_ENABLED": "0",  # its MQTT broker would listen on every address of this machine
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [MINISTACK], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    # By name: with an address, sam would not find buckets that are host names.
    endpoint = f"http://{'localhost' if host == LOOPBACK else host}:{port}"
    try:
        wait_until_ready(process, endpoint, log)
        yield endpoint, process.pid, folder
    finally:
        if not (afterwards and afterwards.run_on):
            stop(process)
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def local_stack(
    port: int | None = None, *, step: Step = nullcontext, afterwards: Afterwards | None = None, **parameters: str
) -> Generator[Stack]:
    """Deploy the template to a fresh ministack with these parameters; yield the stack, and stop everything at the end.

    Without a port, a free one is used.
    """
    check_machine([port] if port else [])
    with ExitStack() as running:
        with step("ministack"):
            endpoint, process_id, folder = running.enter_context(ministack(port or free_port(), afterwards=afterwards))
        outputs = build_and_deploy(endpoint, parameters, step)
        yield Stack(aws=aws(endpoint), outputs=outputs, process_id=process_id, folder=folder)
