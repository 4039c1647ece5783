"""The Lambda handler: an event in, an action done, a result out."""

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, cast

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.backfill import backfill
from logarchive.action.event import Backfill, Status, Tick, Work, parse_event
from logarchive.action.result import Result, refused
from logarchive.action.status import status
from logarchive.action.tick import tick, work
from logarchive.errors import ConfigError
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source
from logarchive.runtime.aws import Aws
from logarchive.runtime.invocation import Invocation
from logarchive.runtime.metric import UNITS, Count, Tally
from logarchive.runtime.settings import Settings
from logarchive.runtime.source_loader import Sources
from logarchive.store.bucket import Lock

#: The last word of a log event -> its level; all others tell what went as it should.
_LEVELS = {"issue": "warning", "invalid": "warning", "refused": "warning", "failed": "error"}

type Handler = Callable[[Any, LambdaContext], Result]


def lambda_handler[S: Source, K: BaseModel](provider: Provider[S, K]) -> Handler:
    """Return the handler of a provider's function. Nothing happens before it is called."""

    def invoked(event: Any, context: LambdaContext) -> Result:  # noqa: ANN401 (whatever the caller sent)
        settings, tally = _settings(), Tally()
        invocation = invocation_of(context, _logger(provider.name), event, tally)
        archive = connect(provider, settings, _aws(), invocation, context.invoked_function_arn)
        try:
            return act(archive, event)
        finally:
            publish(provider.name, tally, per_source=settings.per_source_metrics)

    def handler(event: Any, context: LambdaContext) -> Result:  # noqa: ANN401 (whatever the caller sent)
        return (traced(provider.name, invoked) if _settings().tracing else invoked)(event, context)

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
    days = settings.raw_retention_days
    lock = Lock(days, settings.raw_retention_mode, invocation.clock) if days else None
    return Archive(
        provider=provider,
        table=aws.table,
        store=replace(aws.store, lock=lock),
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


def invocation_of(context: LambdaContext, logger: Logger, event: Any, count: Count) -> Invocation:  # noqa: ANN401
    """Say what an action needs to know of its invocation; every line it logs tells which one it is, and who asked."""
    asked_by = cast("dict[str, object]", event).get("by") if isinstance(event, dict) else None
    logger.append_keys(request_id=context.aws_request_id)
    logger.set_correlation_id(str(asked_by or context.aws_request_id))

    def log(event: str, **keys: Any) -> None:  # noqa: ANN401 (any value a log line holds)
        level = _LEVELS.get(event.rpartition(".")[2], "info")
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
def _settings() -> Settings:
    return Settings.from_environment()


@cache
def _aws() -> Aws:
    return Aws.connect(_settings())


@cache
def _logger(provider: str) -> Logger:
    return Logger(service=provider)


def traced(provider: str, handler: Handler) -> Handler:
    """Return the handler with its run and its calls to AWS traced. What is sent to a provider stays as it was."""
    from aws_lambda_powertools import Tracer  # its SDK costs cold start

    tracer = Tracer(service=provider, patch_modules=["botocore"])
    return tracer.capture_lambda_handler(handler, capture_response=False)


def publish(provider: str, tally: Tally, *, per_source: bool) -> None:
    """Write the invocation's metrics, if there are any: of the provider, and of each source if that is wanted."""
    _write({"provider": provider}, tally.total)
    if per_source:
        for source, values in tally.of_source.items():
            _write({"provider": provider, "source": source}, values)


def _write(dimensions: dict[str, str], values: Mapping[str, float]) -> None:
    if not values:
        return
    metrics = EphemeralMetrics()
    # Powertools would add its service as one more dimension.
    metrics.service = ""
    for dimension, named in dimensions.items():
        metrics.add_dimension(dimension, named)
    for name, value in values.items():
        metrics.add_metric(name=name, unit=UNITS[name], value=value)
    metrics.flush_metrics()
