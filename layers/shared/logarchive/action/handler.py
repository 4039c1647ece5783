"""The Lambda handler: an event in, an action done, a result out."""

from dataclasses import replace
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.backfill import backfill
from logarchive.action.event import Backfill, Status, Tick, Work, parse_event
from logarchive.action.result import Result, refused
from logarchive.action.status import status
from logarchive.action.tick import tick
from logarchive.action.work import work
from logarchive.errors import ConfigError
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source
from logarchive.runtime.aws import Aws
from logarchive.runtime.invocation import Invocation
from logarchive.runtime.metric import Tally
from logarchive.runtime.settings import Settings
from logarchive.runtime.source_loader import Sources
from logarchive.runtime.telemetry import Handler, invocation_of, logger_of, publish, traced
from logarchive.store.bucket import Lock


def lambda_handler[S: Source, K: BaseModel](provider: Provider[S, K]) -> Handler:
    """Return the handler of a provider's function. Nothing happens before it is called."""

    def invoked(event: Any, context: LambdaContext) -> Result:  # noqa: ANN401 (whatever the caller sent)
        settings, tally = _settings(), Tally()
        invocation = invocation_of(context, logger_of(provider.name), event, tally)
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


@cache
def _settings() -> Settings:
    return Settings.from_environment()


@cache
def _aws() -> Aws:
    return Aws.connect(_settings())
