"""The Lambda handler: an event in, an action done, a result out."""

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from logarchive.archive import Archive
from logarchive.aws import Aws
from logarchive.backfill import backfill
from logarchive.errors import ConfigError
from logarchive.event import Backfill, Status, Tick, Work, parse_event
from logarchive.invocation import Invocation
from logarchive.provider import Provider
from logarchive.result import Result, refused
from logarchive.settings import Settings
from logarchive.source import Source
from logarchive.sources import Sources
from logarchive.status import status
from logarchive.tick import tick, work

#: The last word of a log event -> its level; all others tell what went as it should.
_LEVELS = {"issue": "warning", "invalid": "warning", "refused": "warning", "failed": "error"}

type Handler = Callable[[Any, LambdaContext], Result]


def lambda_handler[S: Source, K: BaseModel](provider: Provider[S, K]) -> Handler:
    """Return the handler of a provider's function. Nothing happens before it is called."""

    def handler(event: Any, context: LambdaContext) -> Result:  # noqa: ANN401 (whatever the caller sent)
        counts = Counter[str]()
        invocation = _invocation(context, _logger(provider.name), counts)
        archive = connect(provider, _settings(), _aws(), invocation, context.invoked_function_arn)
        try:
            return act(archive, event)
        finally:
            _publish(provider.name, counts)

    return handler


def connect[S: Source, K: BaseModel](
    provider: Provider[S, K], settings: Settings, aws: Aws, invocation: Invocation, function: str
) -> Archive[S, K]:
    """Put an archive together for one invocation."""
    sources = Sources(
        provider=provider,
        ssm=aws.ssm,
        secrets=aws.secrets,
        path=settings.sources_path,
        secrets_prefix=settings.secrets_prefix,
        archive_from=settings.archive_from,
    )
    return Archive(
        provider=provider,
        table=aws.table,
        store=aws.store,
        sources=sources,
        dispatch=aws.dispatcher(function),
        invocation=invocation,
    )


def act[S: Source, K: BaseModel](archive: Archive[S, K], event: Any) -> Result:  # noqa: ANN401 (whatever the caller sent)
    """Do what an event asks for. What is wrong with it, or with the source it names, is the answer."""
    try:
        wanted = parse_event(event)
    except ConfigError as error:
        return _refuse(archive, str(error), None)
    try:
        match wanted:
            case Tick():
                return tick(archive, wanted)
            case Work():
                return work(archive, wanted)
            case Backfill():
                return backfill(archive, wanted)
            case Status():
                return status(archive, wanted)
    except ConfigError as error:
        return _refuse(archive, str(error), wanted.source if not isinstance(wanted, Tick) else None)


def _refuse[S: Source, K: BaseModel](archive: Archive[S, K], error: str, source: str | None) -> Result:
    archive.invocation.log("event.refused", source=source, error=error)
    archive.invocation.count("SourceErrors" if source else "EventErrors", 1)
    return refused(archive.provider.name, error, source)


def _invocation(context: LambdaContext, logger: Logger, counts: Counter[str]) -> Invocation:
    logger.append_keys(request_id=context.aws_request_id)

    def log(event: str, **keys: Any) -> None:  # noqa: ANN401 (any value a log line holds)
        level = _LEVELS.get(event.rpartition(".")[2], "info")
        {"info": logger.info, "warning": logger.warning, "error": logger.error}[level](event, extra=keys)

    def count(name: str, value: int) -> None:
        counts[name] += value

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
def _settings() -> Settings:
    return Settings.from_environment()


@cache
def _aws() -> Aws:
    return Aws.connect(_settings())


@cache
def _logger(provider: str) -> Logger:
    return Logger(service=provider)


def _publish(provider: str, counts: Counter[str]) -> None:
    """Write one line of metrics for the invocation, if there is anything to tell."""
    if not counts:
        return
    metrics = Metrics()
    # Powertools would add its service as a second dimension; a metric's only dimension is the provider.
    metrics.service = ""
    metrics.add_dimension(name="provider", value=provider)
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    metrics.flush_metrics()
