"""Metrics: their names and units, and how the values of several sources become one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

from logarchive.errors import Issue

type Unit = Literal["Count", "Bytes", "Seconds", "None"]


class Count(Protocol):
    """Records a value of a metric, for one source if the value belongs to one."""

    def __call__(self, name: str, value: float, source: str | None = None) -> None:
        """Record one value."""


def issue_metric(issue: Issue) -> str:
    """Return the metric that counts visits with that issue: `too_large` is `IssueTooLarge`."""
    return "Issue" + "".join(word.title() for word in issue.split("_"))


#: How many conditions hold that need a person: the one metric that is always published, without a dimension.
WARNINGS = "Warnings"

#: Every metric, and its unit. The others are fields of log lines, unless the stack publishes them too.
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
    "WindowsReplayed": "Count",
    "ReplayErrors": "Count",
    "LagSeconds": "Seconds",
    "HoursToLoss": "None",
    "QuietSeconds": "Seconds",
    "QuietSources": "Count",
    "SourceErrors": "Count",
    "EventErrors": "Count",
    "ProofEntries": "Count",
    "ProofBacklogSeconds": "Seconds",
    "ProofSigned": "Count",
    "ProofErrors": "Count",
    "NoticeErrors": "Count",
    WARNINGS: "Count",
}

#: The dimension of the notary's metrics: it is a function, and no provider.
NOTARY: Mapping[str, str] = {"function": "notary"}

#: For these the provider has the value of its worst source; all other metrics are sums.
WORST: Mapping[str, Callable[[float, float], float]] = {"LagSeconds": max, "HoursToLoss": min, "QuietSeconds": max}


@dataclass
class Tally:
    """The values that one invocation has recorded: of the provider, and of each source."""

    total: dict[str, float] = field(default_factory=dict[str, float])
    of_source: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])

    def __call__(self, name: str, value: float, source: str | None = None) -> None:
        """Record one value. Raises KeyError for a metric that UNITS does not know."""
        UNITS[name]
        _record(self.total, name, value)
        if source is not None:
            _record(self.of_source.setdefault(source, {}), name, value)


def _record(values: dict[str, float], name: str, value: float) -> None:
    if name in values:
        value = WORST[name](values[name], value) if name in WORST else values[name] + value
    values[name] = value
