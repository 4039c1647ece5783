"""The truth about a provider's records: from a simulator in this process, or from one behind an address."""

import datetime as dt
import json
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from tests.truth import json_row
from tests.truth.dsa_row import dsa_row
from tests.truth.row import Row

#: What row a provider's record must become, given as its exact bytes or as it was read back; None: it must be rejected.
#: The truth tells the API Gateway's times in +09:00; its events come again in each window of their day.
ROWS: dict[str, Callable[[Any], Row | None]] = {
    "elsa": json_row.elsa,
    "apigateway": json_row.apigateway(dt.timedelta(hours=9), cached=1 << 16),
    "multidrm": json_row.multidrm,
    "security365": json_row.security365,
    "dsa": dsa_row,
}


class Record(Protocol):
    """A record as the provider holds it."""

    @property
    def text(self) -> bytes:
        """Its exact bytes."""
        ...

    @property
    def host(self) -> str:
        """The host whose file holds it, where files are told apart."""
        ...

    def due(self, visited_at: dt.datetime) -> bool:
        """Say whether an archive must hold it, once its hour was last visited at that moment."""
        ...


#: Provider, start and end of a half-open range -> every record of it.
type Truth = Callable[[str, dt.datetime, dt.datetime], Iterator[Record]]


class _Told:
    """A record as `/_truth` tells it."""

    def __init__(self, line: bytes) -> None:
        said = json.loads(line)
        self.text: bytes = bytes.fromhex(said["text_hex"]) if "text_hex" in said else said["text"].encode()
        self.host: str = said["host"]
        # Whole days are asked for by every window in them: that one has seen it obliges no other.
        self._seen: bool = said["served"] and (said["fleeting"] or not said["by_day"])
        self._from_ms: int | None = None if said["fleeting"] else said["visible_from_ms"]

    def due(self, visited_at: dt.datetime) -> bool:
        return self._seen or (self._from_ms is not None and self._from_ms <= visited_at.timestamp() * 1000)


def over_http(url: str) -> Truth:
    """Return the truth of the simulator at that address."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(provider: str, start: dt.datetime, end: dt.datetime) -> Iterator[Record]:
        query = urllib.parse.urlencode({"start": start.isoformat(), "end": end.isoformat()})
        with direct.open(f"{url}/_truth/{provider}?{query}", timeout=600) as answer:
            yield from map(_Told, answer)

    return ask
