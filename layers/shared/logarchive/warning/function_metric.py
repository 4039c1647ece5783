"""What AWS counts of the stack's functions and of the queue of their failures."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from logarchive.moment import HOUR, MILLISECOND
from logarchive.runtime.aws import AwsMetric, Metrics


@dataclass(frozen=True)
class Reading:
    """What happened to one function in some span of time."""

    name: str
    errors: int
    throttles: int
    #: Its longest run.
    longest: dt.timedelta


@dataclass(frozen=True)
class FunctionReadings:
    """What happened to all functions in some span of time."""

    functions: tuple[Reading, ...] = ()
    #: Messages that were sent to the dead-letter queue.
    dead_letters: int = 0
    span: dt.timedelta = HOUR


@dataclass(frozen=True)
class FunctionMetrics:
    """The metrics of AWS about the stack."""

    metrics: Metrics
    #: `elsa`, or `notary` -> the function's name in AWS.
    functions: Mapping[str, str]
    #: The name of the dead-letter queue.
    queue: str

    def read(self, start: dt.datetime, end: dt.datetime) -> FunctionReadings:
        """Read them in one call. Raises ArchiveError, or what the SDK raises."""
        asked = [metric for name in self.functions.values() for metric in _of_function(name)]
        queue = AwsMetric("AWS/SQS", "NumberOfMessagesSent", "QueueName", self.queue)
        *values, sent = self.metrics.read([*asked, queue], start, end)
        readings = (
            Reading(name, int(values[at]), int(values[at + 1]), values[at + 2] * MILLISECOND)
            for at, name in zip(range(0, len(values), 3), self.functions, strict=True)
        )
        return FunctionReadings(tuple(readings), int(sent), end - start)


def _of_function(name: str) -> list[AwsMetric]:
    errors, throttles = (AwsMetric("AWS/Lambda", metric, "FunctionName", name) for metric in ("Errors", "Throttles"))
    return [errors, throttles, AwsMetric("AWS/Lambda", "Duration", "FunctionName", name, "Maximum")]
