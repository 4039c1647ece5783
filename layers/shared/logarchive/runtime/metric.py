"""Metrics: what is counted and measured, and how the values of several sources become one."""

from collections.abc import Callable, Mapping
from typing import Literal, Protocol, get_args

from logarchive.errors import Issue

type Unit = Literal["Count", "Bytes", "Seconds", "None"]


class Count(Protocol):
    """Counts or measures something, of one source where it can be told."""

    def __call__(self, name: str, value: float, source: str | None = None) -> None:
        """Note one value."""
        ...


def issue_metric(issue: Issue) -> str:
    """Return the metric that counts visits with that issue: `too_large` is `IssueTooLarge`."""
    return "Issue" + "".join(word.title() for word in issue.split("_"))


#: Every metric, and its unit.
UNITS: Mapping[str, Unit] = {
    "WindowsSealed": "Count",
    "WindowsWithIssue": "Count",
    **{issue_metric(issue): "Count" for issue in get_args(Issue.__value__)},
    "Rows": "Count",
    "Rejects": "Count",
    "LateRows": "Count",
    "RawBytes": "Bytes",
    "LogsBytes": "Bytes",
    "Requests": "Count",
    "Throttles": "Count",
    "LagSeconds": "Seconds",
    "HoursToLoss": "None",
    "QuietSeconds": "Seconds",
    "QuietSources": "Count",
    "SourceErrors": "Count",
    "EventErrors": "Count",
}

#: Of these the worst source's value is the provider's; all others add up.
WORST: Mapping[str, Callable[[float, float], float]] = {"LagSeconds": max, "HoursToLoss": min, "QuietSeconds": max}


class Tally:
    """What one invocation has counted and measured, together and of each source."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.total: dict[str, float] = {}
        self.of_source: dict[str, dict[str, float]] = {}

    def __call__(self, name: str, value: float, source: str | None = None) -> None:
        """Note one value. Raises KeyError for a metric that UNITS does not know."""
        UNITS[name]
        _note(self.total, name, value)
        if source is not None:
            _note(self.of_source.setdefault(source, {}), name, value)


def _note(values: dict[str, float], name: str, value: float) -> None:
    values[name] = WORST.get(name, _sum)(values[name], value) if name in values else value


def _sum(one: float, other: float) -> float:
    return one + other
