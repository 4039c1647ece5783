"""The actions of the notary's function: the proof log brought up to date, the coverage page, a month's report.

It archives nothing.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Literal, cast

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, ValidationError

from logarchive.action.result import Result, refusal
from logarchive.coverage.event import WriteCoverage, WriteReport
from logarchive.coverage.writer import CoverageWriter
from logarchive.errors import ConfigError
from logarchive.proof.checkpoint import Signer, VerifierKey
from logarchive.proof.daily import DailyNotice
from logarchive.proof.log import ProofLog
from logarchive.proof.mark import Marks
from logarchive.proof.notary import Notary
from logarchive.proof.state import StateItem
from logarchive.provider.validation import reasons
from logarchive.runtime.aws import Kms, NotaryAws
from logarchive.runtime.invocation import Invocation
from logarchive.runtime.metric import NOTARY, Tally
from logarchive.runtime.settings import NotarySettings
from logarchive.runtime.telemetry import Handler, invocation_of, logger_of, publish, traced
from logarchive.warning.function_metric import FunctionMetrics
from logarchive.warning.look import after_look
from logarchive.warning.signal import read_invalid, write_proof_signals
from logarchive.warning.watch import Watch, read_held

#: What its log lines are of.
NAME = "notary"


class Notarize(BaseModel):
    """State in the proof log what has changed, and have it signed; with `notice`, send the daily notice now.

    Without `daily`, neither notice nor coverage page is made, though today's may be due.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["notary"]
    notice: bool = False
    daily: bool = True


type NotaryEvent = Notarize | WriteCoverage | WriteReport

#: The actions, each with the model of its event.
ACTIONS: Mapping[str, type[Notarize | WriteCoverage | WriteReport]] = {
    "notary": Notarize,
    "coverage": WriteCoverage,
    "report": WriteReport,
}


@dataclass(frozen=True)
class Daily:
    """What is made once a day."""

    coverage: CoverageWriter
    #: None: there is nobody who gets it.
    notice: DailyNotice | None = None


def lambda_handler() -> Handler:
    """Return the handler of the notary's function. Nothing happens before it is called."""

    def invoked(event: Any, context: LambdaContext) -> Result:  # noqa: ANN401 (whatever the caller sent)
        tally = Tally()
        invocation = invocation_of(context, logger_of(NAME), event, tally)

        def write() -> None:
            publish(invocation, NOTARY, tally, detailed=_settings().detailed_metrics)
            write_proof_signals(_aws().table, tally, invocation.clock())
            tally.total.clear()

        def run() -> Result:
            opened = notary(_aws(), invocation, _signer())
            return act(opened, event, daily(_aws(), opened, _settings().providers), write)

        try:
            return after_look(event, watch(_aws(), _settings(), invocation), write, run)
        finally:
            write()

    def handler(event: Any, context: LambdaContext) -> Result:  # noqa: ANN401 (whatever the caller sent)
        return (traced(NAME, invoked) if _settings().tracing else invoked)(event, context)

    return handler


def act(notary: Notary, event: object, daily: Daily, signed: Callable[[], None] = lambda: None) -> Result:
    """Carry out an event. What is wrong with it is said in the result.

    `signed` is called once the log is up to date, before what is made once a day, which may be killed.
    """
    try:
        parsed = parse(event)
        if isinstance(parsed, WriteReport):
            parsed.ensure_begun(notary.invocation.clock())
    except ConfigError as error:
        notary.invocation.log("event.refused", source=None, error=str(error))
        notary.invocation.count("EventErrors", 1)
        return refusal(NAME, str(error))
    match parsed:
        case Notarize():
            result = notary.run()
            signed()
            return result | (_made_daily(parsed, daily) if parsed.daily else {"notice": False, "coverage": False})
        case WriteCoverage():
            return daily.coverage.write(parsed.start)
        case WriteReport():
            return daily.coverage.write_report(parsed)


def _made_daily(event: Notarize, daily: Daily) -> Result:
    """Make what is made once a day. What goes wrong with the notice is raised once the page is made."""
    result: Result = {}
    try:
        result["notice"] = _sent(daily.notice, now=event.notice) if daily.notice else False
    finally:
        result["coverage"] = daily.coverage.write_daily()
    return result


def _sent(notice: DailyNotice, *, now: bool) -> bool:
    try:
        return notice.send(now=now)
    except Exception as error:
        notice.invocation.log("notice.failed", error=str(error))
        notice.invocation.count("NoticeErrors", 1)
        raise


def parse(event: object) -> NotaryEvent:
    """Read an event. Raises ConfigError saying what is wrong with it."""
    if not isinstance(event, Mapping):
        raise ConfigError('the event is no JSON object; for instance {"action": "notary"}')
    action = cast("Mapping[str, object]", event).get("action", "")
    model = ACTIONS.get(str(action))
    if model is None:
        what = f'"{action}" is no action' if action else "missing"
        raise ConfigError(f"action: {what}; the actions are {', '.join(ACTIONS)}")
    try:
        return model.model_validate(event)
    except ValidationError as error:
        raise ConfigError(reasons(error, model, quoted=True)) from None


def notary(aws: NotaryAws, invocation: Invocation, signer: Signer | None) -> Notary:
    """Put a notary together for one invocation."""
    log = ProofLog(aws.store, origin(aws.store.bucket), signer)
    return Notary(log, Marks(aws.table, aws.store), StateItem(aws.table), invocation)


def daily(aws: NotaryAws, notary: Notary, providers: Sequence[str]) -> Daily:
    """Put together what is made once a day; no notice without a topic."""
    log, invocation = notary.log, notary.invocation
    made = Daily(CoverageWriter(log, aws.table, providers, invocation, partial(read_invalid, aws.table, providers)))
    if not aws.topic:
        return made

    def holding() -> Mapping[str, dt.datetime]:
        return read_held(aws.table)

    return replace(made, notice=DailyNotice(log, aws.table, aws.topic.publish, providers, invocation, holding))


def watch(aws: NotaryAws, settings: NotarySettings, invocation: Invocation) -> Watch:
    """Put together what looks for conditions; no message is sent without a topic."""
    functions = FunctionMetrics(aws.metrics, settings.functions, settings.queue) if aws.metrics else None
    tell = aws.topic.publish if aws.topic else None
    return Watch(aws.table, settings.providers, invocation, tell, functions)


def signer(bucket: str, kms: Kms | None) -> Signer | None:
    """Return what signs the log of a bucket; None without a key."""
    return Signer(VerifierKey.of_der(origin(bucket), kms.public_key()), kms.sign) if kms else None


def origin(bucket: str) -> str:
    """Return the name of a bucket's log, which is also that of the key."""
    return f"{bucket}/proof"


@cache
def _settings() -> NotarySettings:
    return NotarySettings.from_environment()


@cache
def _aws() -> NotaryAws:
    return NotaryAws.connect(_settings())


@cache
def _signer() -> Signer | None:
    return signer(_settings().bucket, _aws().kms)
