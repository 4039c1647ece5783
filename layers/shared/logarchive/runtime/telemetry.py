"""Log lines, metrics and traces of an invocation, as Powertools writes them."""

import datetime as dt
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from logarchive.runtime.invocation import Invocation
from logarchive.runtime.metric import UNITS, WARNINGS, Count, Tally

#: A log event, or its last word -> its level; all other events are information.
_LEVELS = {
    "warning.begun": "warning",
    "warning.again": "warning",
    "issue": "warning",
    "invalid": "warning",
    "refused": "warning",
    "failed": "error",
}

type Handler = Callable[[Any, LambdaContext], dict[str, Any]]


def invocation_of(context: LambdaContext, logger: Logger, event: Any, count: Count) -> Invocation:  # noqa: ANN401
    """Return the invocation of a context. Its log lines carry its id and that of the invocation that started it."""
    started_by = cast("dict[str, object]", event).get("by") if isinstance(event, dict) else None
    logger.append_keys(request_id=context.aws_request_id)
    logger.set_correlation_id(str(started_by or context.aws_request_id))

    def log(event: str, **keys: Any) -> None:  # noqa: ANN401 (any value a log line holds)
        level = _LEVELS.get(event) or _LEVELS.get(event.rpartition(".")[2], "info")
        {"info": logger.info, "warning": logger.warning, "error": logger.error}[level](event, extra=keys)

    now = _now()
    return Invocation(
        name=context.aws_request_id,
        started=now,
        deadline=now + dt.timedelta(milliseconds=context.get_remaining_time_in_millis()),
        clock=_now,
        sleep=time.sleep,
        log=log,
        count=count,
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@cache
def logger_of(provider: str) -> Logger:
    """Return the logger of a provider's function."""
    return Logger(service=provider)


def traced(provider: str, handler: Handler) -> Handler:
    """Return the handler with itself and its calls to AWS traced. Requests to providers are not changed."""
    from aws_lambda_powertools import Tracer  # loading its SDK makes a cold start slower

    tracer = Tracer(service=provider, patch_modules=["botocore"])
    return tracer.capture_lambda_handler(handler, capture_response=False)


def publish(
    invocation: Invocation, dimensions: Mapping[str, str], tally: Tally, *, detailed: bool, per_source: bool = False
) -> None:
    """Log what an invocation has counted, in all and of each source, and publish the metric `Warnings`.

    With `detailed` everything becomes metrics with these dimensions; with `per_source` what is of a source does twice.
    """
    if tally.total:
        invocation.log("invocation.counted", **tally.total)
    for source, values in tally.of_source.items():
        invocation.log("source.counted", source=source, **values)
    if detailed or per_source:
        _write({name: value for name, value in tally.total.items() if name != WARNINGS}, dimensions)
    if per_source:
        for source, values in tally.of_source.items():
            _write(values, {**dimensions, "source": source})
    if WARNINGS in tally.total:
        _write({WARNINGS: tally.total[WARNINGS]}, {})


def _write(values: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
    if not values:
        return
    metrics = EphemeralMetrics()
    # Powertools would add its service as one more dimension.
    metrics.service = ""
    for dimension, value in dimensions.items():
        metrics.add_dimension(dimension, value)
    for metric, number in values.items():
        metrics.add_metric(name=metric, unit=UNITS[metric], value=number)
    metrics.flush_metrics()
