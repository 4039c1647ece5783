"""The end of a function's log, as a failure of the demo shows it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.demo.page import INDENT, cut

#: How many lines are shown.
SHOWN = 5
#: What Lambda, not the function, writes; and the metrics.
BESIDE = ("START RequestId", "END RequestId", "REPORT RequestId", '{"_aws"')
#: What every line has, and what tells its story.
COMMON = {"level", "location", "message", "timestamp", "service", "request_id", "correlation_id", "xray_trace_id"}


def described(function: str, lines: Sequence[str], file: Path, source: str = "") -> list[str]:
    """Return which function it is, the last lines of its log that may be about a source, and where all of it is."""
    own = [line for line in lines if not line.startswith(BESIDE)]
    about = [line for line in own if f'"source":"{source}"' in line or '"source":' not in line] if source else own
    shown = [cut(f"{INDENT}  {brief(line)}") for line in (about or own)[-SHOWN:]]
    return [
        f"{INDENT}function {function}, the last lines of its log:"
        if shown
        else f"{INDENT}function {function}: no log yet",
        *shown,
        f"{INDENT}its whole log: {file}",
    ]


def brief(line: str) -> str:
    """Return a line of a log without what every line has: time, level, event, and the event's own keys."""
    try:
        told: dict[str, Any] = json.loads(line)
        head = [str(told["timestamp"]).partition(" ")[2][:8], str(told["level"]), str(told["message"])]
    except (ValueError, KeyError, TypeError):
        return line
    return " ".join([*head, *(f"{name}={value}" for name, value in told.items() if name not in COMMON)])


def written(function: str, lines: Sequence[str], folder: Path) -> Path:
    """Write a function's log to a file that stays when the demo has ended; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{function}.log"
    file.write_text("".join(f"{line}\n" for line in lines))
    return file
