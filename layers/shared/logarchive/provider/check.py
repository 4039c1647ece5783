"""What `doctor` says: the model of one check, and what a provider tells it of a record's time."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

#: `skipped`: another check must be mended first, or there is nothing to look at.
type Verdict = Literal["ok", "skipped", "warn", "fail"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was seen, and what to do if it is not good."""

    check: str
    verdict: Verdict
    #: What was seen, in a sentence without a secret.
    said: str
    #: What mends it; empty: nothing has to be done.
    do: str = ""

    def json(self) -> dict[str, Any]:
        """Return it as a result shows it."""
        return asdict(self)


def worst(checks: Iterable[Check]) -> Verdict:
    """Return the verdict of a source; what was skipped beside good checks leaves it good."""
    found = {check.verdict for check in checks}
    return "fail" if "fail" in found else "warn" if "warn" in found else "ok"


@dataclass(frozen=True)
class RecordTime:
    """The latest time among the records of a response; the provider may hold newer ones."""

    #: As the provider has written it.
    text: str
    #: As the archive reads it; None: it cannot be read.
    moment: dt.datetime | None
