"""What stops a command: one sentence that says what is wrong and what to do, in place of a traceback."""

import re
import socket
from pathlib import Path

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 (botocore's own: everything that keeps a request from its endpoint)
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)

#: Codes by which AWS says that it does not accept the credentials.
_UNACCEPTED = {
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_SIGN_IN = "sign in as for the AWS CLI (`aws configure`, `aws sso login`), or name a profile: --profile NAME"
#: Where the demo is, and the name of the note that it leaves in `.tools` of its clone.
_DEMO = re.compile(r"http://(?:localhost|127\.0\.0\.1):(\d+)")
_NOTE = re.compile(r"demo-(\d+)\.json")

#: What is wrong, and what to do; `{}` is what botocore says.
_KINDS: tuple[tuple[tuple[type[BotoCoreError], ...], str], ...] = (
    ((NoCredentialsError, PartialCredentialsError), f"no AWS credentials were found: {_SIGN_IN}"),
    ((TokenRetrievalError, SSOError), f"the sign-in to AWS has ended: {_SIGN_IN}"),
    ((ProfileNotFound,), "{}: `aws configure list-profiles` shows those there are"),
    ((NoRegionError,), "no AWS region is set; name the one that the stack is in: --region ap-northeast-2"),
)


class ConsoleError(Exception):
    """The command cannot do what it was asked for; the message says why, and what to do."""


class DeclinedError(ConsoleError):
    """Somebody was asked, and did not agree: nothing failed, and nothing was changed."""


def code_of(error: ClientError) -> str:
    """Return the code of an error that AWS returned."""
    return error.response.get("Error", {}).get("Code", "")


def explained(error: BotoCoreError | ClientError) -> str:
    """Return what is wrong with a call to AWS, and what to do."""
    if isinstance(error, ClientError):
        return _refused(error)
    if isinstance(error, ConnectionError | HTTPClientError):
        return _unreached(error)
    return next((text.format(_sentence(error)) for kinds, text in _KINDS if isinstance(error, kinds)), _sentence(error))


def _unreached(error: BotoCoreError) -> str:
    endpoint = str(error.kwargs.get("endpoint_url", ""))
    if isinstance(error, ReadTimeoutError):
        return f"{_sentence(error)}: there was no answer in time; try again"
    if demo := _DEMO.match(endpoint):
        return f"nothing answers at {endpoint}: {_another_demo(int(demo[1]), kept_ports(Path.cwd()))}"
    return f"{_sentence(error)}: check the network, and the region (--region)"


def _another_demo(port: int, kept: list[int]) -> str:
    if others := [other for other in kept if other != port]:
        return f"a demo was kept at port {others[0]}: --port {others[0]}"
    started = f"start the demo and keep it with `KEEP=1 PORT={port} make demo`"
    return f"{started}, or name the port of one that runs, for instance --port 4600"


def kept_ports(clone: Path) -> list[int]:
    """Return the ports of the demos that `KEEP=1 make demo` has noted in a clone and that still run, in order."""
    notes = (_NOTE.fullmatch(path.name) for path in (clone / ".tools").glob("demo-*.json"))
    return sorted(port for port in (int(note[1]) for note in notes if note) if _listens(port))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _refused(error: ClientError) -> str:
    code, message = code_of(error), error.response.get("Error", {}).get("Message", "")
    if code in _EXPIRED:
        return f"the sign-in to AWS has ended ({code}): {_SIGN_IN}"
    if code in _UNACCEPTED:
        return f"AWS does not accept these credentials ({code}): {_SIGN_IN}"
    if code in _DENIED:
        return f"your credentials do not allow {error.operation_name}: {message}"
    return f"AWS refused {error.operation_name}: {code}: {message}"


def _sentence(error: Exception) -> str:
    return str(error).rstrip(". ")
