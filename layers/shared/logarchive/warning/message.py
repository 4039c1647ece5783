"""The message that says which conditions have begun and ended, for people who read it in a mail. Pure."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from logarchive.moment import instant
from logarchive.warning.kind import ADVICE, Condition

#: How many conditions of a sort have a line of their own.
MOST_LINES = 50
#: A name that would make the message too long is cut.
MOST_CHARACTERS = 200
#: Its text, page and heading; without a page it is operations.md.
_LINK = re.compile(r"\[([^]]+)\]\(([^#)]*)#([^)]+)\)")
_WHERE = """\
Which window it is about is in the function's log, and in `status` or `logarchive gaps`. What to do is said at more \
length in docs/operations.md of the archive's program. What goes on is not repeated.
"""


@dataclass(frozen=True)
class Change:
    """What has changed between two looks."""

    now: dt.datetime
    #: What was seen of each that has begun.
    begun: Mapping[Condition, str]
    #: Since when each has held that has ended.
    ended: Mapping[Condition, dt.datetime]
    #: Since when each holds that held before.
    lasting: Mapping[Condition, dt.datetime]
    #: What was seen of each that held before, and was met again after an hour without.
    again: Mapping[Condition, str] = field(default_factory=dict[Condition, str])


def subject(change: Change) -> str:
    """Return the subject of the message."""
    parts = [f"{len(change.begun):,} begun"] if change.begun else []
    parts += [f"{len(change.again):,} met again"] if change.again else []
    parts += [f"{len(change.ended):,} ended"] if change.ended else []
    return f"Log archive {change.now:%Y-%m-%d %H:%M} UTC: warnings {', '.join(parts)}"


def text(change: Change) -> str:
    """Return the message."""
    begun = [line for one, seen in _first(change.begun) for line in _begun(one, seen)]
    again = [f"- {_name(one)} ({seen})" for one, seen in _first(change.again)]
    ended = [f"- {_name(one)} (since {instant(since)})" for one, since in _first(change.ended)]
    lasting = [f"- {_name(one)} (since {instant(since)})" for one, since in _first(change.lasting)]
    groups = (
        (f"Begun, seen at {instant(change.now)}:", begun, change.begun),
        ("Met again, perhaps in another window:", again, change.again),
        ("Ended:", ended, change.ended),
        ("Still so:", lasting, change.lasting),
    )
    lines = [line for title, found, whole in groups if found for line in (title, *found, *_rest(whole), "")]
    return "\n".join([*lines, _WHERE])


def _begun(condition: Condition, seen: str) -> tuple[str, str]:
    advice = ADVICE[condition.kind]
    return f"- {_name(condition)}: {advice.means} ({seen}).", f"  What to do: {_LINK.sub(_linked, advice.todo)}."


def _linked(link: re.Match[str]) -> str:
    text, page, heading = link.groups()
    where = f"docs/{page or 'operations.md'}#{heading}"
    return where if text.replace(" ", "-") == heading else f"{text} ({where})"


def _name(condition: Condition) -> str:
    name = condition.subject
    return f"{condition.kind} {name if len(name) <= MOST_CHARACTERS else f'{name[:MOST_CHARACTERS]}...'}"


def _first[T](found: Mapping[Condition, T]) -> list[tuple[Condition, T]]:
    return sorted(found.items(), key=lambda item: item[0])[:MOST_LINES]


def _rest(found: Mapping[Condition, object]) -> list[str]:
    more = len(found) - MOST_LINES
    return [f"- and {more:,} more: they are in the notary's log"] if more > 0 else []
