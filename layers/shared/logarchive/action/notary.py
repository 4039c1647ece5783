"""The action `notary`: the proof log is brought up to date. Its function archives nothing, and has no other action."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, cast

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, ValidationError

from logarchive.action.result import Result, refusal
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
from logarchive.runtime.telemetry import Handler, invocation_of, logger_of, traced, write_metrics

#: What its log lines are of.
NAME = "notary"


class Notarize(BaseModel):
    """State in the proof log what has changed, and have it signed; with `notice`, send the daily notice now."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["notary"]
    notice: bool = False


def lambda_handler() -> Handler:
    """Return the handler of the notary's function. Nothing happens before it is called."""

    def invoked(event: Any, context: LambdaContext) -> Result:  # noqa: ANN401 (whatever the caller sent)
        tally = Tally()
        invocation = invocation_of(context, logger_of(NAME), event, tally)
        try:
            run = notary(_aws(), invocation, _signer())
            return act(run, event, daily_notice(_aws(), run, _settings().providers))
        finally:
            write_metrics(NOTARY, tally.total)

    def handler(event: Any, context: LambdaContext) -> Result:  # noqa: ANN401 (whatever the caller sent)
        return (traced(NAME, invoked) if _settings().tracing else invoked)(event, context)

    return handler


def act(notary: Notary, event: object, daily: DailyNotice | None = None) -> Result:
    """Carry out an event, and send the daily notice if there is somebody who gets it.

    What is wrong with the event is said in the result. What goes wrong with a notice is raised, once all is signed.
    """
    try:
        parsed = parse(event)
    except ConfigError as error:
        notary.invocation.log("event.refused", source=None, error=str(error))
        notary.invocation.count("EventErrors", 1)
        return refusal(NAME, str(error))
    result = notary.run()
    return result | {"notice": _sent(daily, now=parsed.notice) if daily else False}


def _sent(daily: DailyNotice, *, now: bool) -> bool:
    try:
        return daily.send(now=now)
    except Exception as error:
        daily.invocation.log("notice.failed", error=str(error))
        daily.invocation.count("NoticeErrors", 1)
        raise


def parse(event: object) -> Notarize:
    """Read an event. Raises ConfigError saying what is wrong with it."""
    if not isinstance(event, Mapping):
        raise ConfigError('the event is no JSON object; for instance {"action": "notary"}')
    action = cast("Mapping[str, object]", event).get("action", "")
    if action != "notary":
        raise ConfigError(f"action: {f'"{action}" is no action' if action else 'missing'}; the only one is notary")
    try:
        return Notarize.model_validate(event)
    except ValidationError as error:
        raise ConfigError(reasons(error, Notarize)) from None


def notary(aws: NotaryAws, invocation: Invocation, signer: Signer | None) -> Notary:
    """Put a notary together for one invocation."""
    log = ProofLog(aws.store, origin(aws.store.bucket), signer)
    return Notary(log, Marks(aws.table, aws.store), StateItem(aws.table), invocation)


def daily_notice(aws: NotaryAws, notary: Notary, providers: Sequence[str]) -> DailyNotice | None:
    """Put the daily notice together; None without a topic."""
    if aws.topic is None:
        return None
    return DailyNotice(notary.log, aws.table, aws.topic.publish, providers, notary.invocation)


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
