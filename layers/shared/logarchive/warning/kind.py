"""The kinds of conditions that need a person: what each means, and what to do. The documentation has the same words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from logarchive.errors import Issue

type Kind = (
    Issue
    | Literal[
        "behind", "no_tick", "loss_soon", "quiet", "source_invalid", "rejects", "replay_failed", "function_failed",
        "function_throttled", "function_near_timeout", "dead_letters", "proof_unsigned", "proof_backlog",
        "proof_errors",
    ]
)  # fmt: skip

ISSUES: frozenset[str] = frozenset(get_args(Issue.__value__))
#: The kinds that AWS's own metrics tell of.
OF_FUNCTIONS: frozenset[Kind] = frozenset(
    {"function_failed", "function_throttled", "function_near_timeout", "dead_letters"}
)


@dataclass(frozen=True, order=True)
class Condition:
    """Something that needs a person."""

    kind: Kind
    #: What it is about: a source (`elsa/checkout`), a function (`elsa`), or another part of the stack.
    subject: str


@dataclass(frozen=True)
class Advice:
    """What is said about a kind, in Markdown; links are those of docs/operations.md."""

    means: str
    todo: str


def _issue(name: Issue, means: str) -> Advice:
    return Advice(means, f"[{name}](#{name})")


ADVICE: Mapping[Kind, Advice] = {
    "function_failed": Advice(
        "an invocation of the function failed: a bug, a call that AWS refused, a time-out, or out of memory",
        "look for `visit.failed`, `source.failed`, of the notary `proof.failed`, `notice.failed` or `warning.failed`, "
        "or a traceback in the log. The window is retried; if it fails again and again, `error` says why",
    ),
    "function_throttled": Advice(
        "Lambda did not start the function: the account's concurrency is used up. The windows are retried",
        "raise the account's quota (new accounts have ten at a time), or lower `workers`",
    ),
    "function_near_timeout": Advice(
        "an invocation took more than 890 of its 900 s. A visit normally stops 20 s before the end; this one did not, "
        "and the next may be killed",
        "find the window (the log's last lines of that `request_id`). Set a smaller `window`, or more memory, which "
        "also means more CPU",
    ),
    "dead_letters": Advice(
        "a tick, a worker or the notary was not started or failed, or a statement of `history` could not be started; "
        "its event is in the queue",
        "[dead-letter queue](#dead-letter-queue)",
    ),
    "behind": Advice(
        "a window of the source has been due for more than two hours without a good visit",
        "[a source is behind](tasks.md#a-source-is-behind)",
    ),
    "no_tick": Advice(
        "no tick of the provider has run for half an hour, so none of its sources is archived",
        "look for errors in the function's [log](#logs), and whether its schedule is enabled",
    ),
    "loss_soon": Advice(
        "in less than twelve hours the provider deletes records that are not archived. Only for sources with "
        "`retention`",
        "at once: [a source is behind](tasks.md#a-source-is-behind). More `workers`; a `backfill` of the oldest range",
    ),
    "quiet": Advice(
        "the source was archived without a record for longer than its `quiet_after`. Time that is not archived does "
        "not count",
        "is the sender still sending? Nothing is wrong with the archive. If such a pause is normal, lengthen "
        "`quiet_after`",
    ),
    "source_invalid": Advice(
        "the source's parameter or secret is wrong, or a parameter is under no provider's name (each function counts "
        "it), or the names could not be listed (source `*`); the source is skipped at every tick, and falls behind",
        "`errors` in [status](#reading-status) names the field and the reason",
    ),
    "rejects": Advice(
        "some bytes cannot be read as a record, or a record has no readable time. They are kept under `rejects/` with "
        "the reason; each visit of the window counts them again",
        "read the window's object under `rejects/`. If the vendor's format has changed, the provider's code must be "
        "changed; then [`replay`](tasks.md#after-a-mapping-change)",
    ),
    "replay_failed": Advice(
        "a replay could not rebuild a window from `raw/`. The window is left as it was, and is not replayed again by "
        "itself",
        "`replay.failed` in the function's log, and `replay_error` of the window's item, say why. Mend that, then "
        "[`replay`](tasks.md#after-a-mapping-change) the window again",
    ),
    "forbidden": _issue("forbidden", "the provider refused a key, its rights, the clock or the caller's address"),
    "throttled": _issue("throttled", "more than three visits in an hour, over all sources, were throttled"),
    "unavailable": _issue(
        "unavailable", "more than three visits in an hour, over all sources, got no response, or were killed"
    ),
    "malformed": _issue("malformed", "a response was not what the provider's API promises"),
    "truncated": _issue(
        "truncated", "the provider's smallest range reached its cap: it has more records than it returns"
    ),
    "shrunk": _issue("shrunk", "a later visit returned less than an earlier one; all rows are kept"),
    "mismatch": _issue("mismatch", "in more than three visits in an hour, over all sources, pages did not add up"),
    "too_large": _issue("too_large", "a window is too large for one visit and cannot be split"),
    "expired": _issue("expired", "the provider has deleted records that were not archived: they are lost"),
    "proof_unsigned": Advice(
        "for an hour the notary has not brought the proof log up to date",
        "look for errors in [the notary's log](#logs). After a deployment: "
        "[does the ledger have the index](#an-existing-ledger-needs-an-index), and may the notary use "
        "[its key](#a-key-of-your-own)? Nothing is lost: the next run that succeeds takes everything in",
    ),
    "proof_backlog": Advice(
        "something that was archived more than an hour ago is not in the proof log yet. After the first deployment on "
        "a large archive this is normal until its past is taken in",
        "as for `proof_unsigned`; if runs succeed and the backlog falls, wait",
    ),
    "proof_errors": Advice(
        "`proof.failed` in the notary's log: what is stored under `proof/` is not the log that the notary has written. "
        "It signs nothing until this is mended. Or `proof.invalid`: one item of the ledger cannot be read, and waits; "
        "all others are stated and signed",
        "[the stored proof log was changed](#the-stored-proof-log-was-changed); after `proof.invalid` look at the item "
        "that the line names",
    ),
}
