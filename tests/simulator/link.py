"""The download host: links that are valid for 24 hours, and the hourly files behind them.

The path of a link is the one in the samples of "Download Access Logs" (and of the CDN's page); its query changes
with each listing. The host knows no credentials: a request that carries some is refused with 400.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import tarfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.simulator.dsa_line import HOSTS
from tests.simulator.message import Asked, Request, Response
from tests.simulator.record import Record
from tests.simulator.world import HOUR_MS, from_ms, told

if TYPE_CHECKING:
    from tests.simulator.dsa import Dsa

PREFIX = "/download"
VALID_MS = 24 * HOUR_MS
CREDENTIALS = re.compile(r"authorization|proxy-authorization|cookie|x-api-key|x-tc-.*|x-ncp-.*|x-amz-.*")
_PATH = re.compile(r"/download/(\d{8})/(\d\d)/\1(?:\2)?-(.+?)(?:\.gz)?")


class Links:
    """The links given out, and the bytes they lead to."""

    def __init__(self, dsa: Dsa) -> None:
        self.dsa = dsa
        self._valid: dict[str, dict[str, int]] = {}
        self._issued = 0
        self._packed: dict[tuple[int, str, str], tuple[bytes, bytes]] = {}

    def issue(self, request: Request, path: str) -> str:
        """Return a new link to a path such as /20261122/13/20261122-host."""
        self._issued += 1
        token = hashlib.sha256(f"{self.dsa.world.seed} {path} {self._issued}".encode()).hexdigest()[:22]
        until = self.dsa.world.now_ms() + VALID_MS
        self._valid.setdefault(PREFIX + path, {})[token] = until
        return f"http://{request.host}{PREFIX}{path}?st={token}&e={until // 1000}"

    def expire(self, path: str) -> None:
        """Make every link to a path invalid."""
        self._valid.pop(path, None)

    def answer(self, request: Request) -> Response:
        """Serve the file as it stands now."""
        if any(CREDENTIALS.fullmatch(name) for name in request.headers):
            return Response(400, b"credentials are not for this host", "text/plain")
        until = self._valid.get(request.path, {}).get(request.query.get("st", ""), 0)
        place = place_of(self.dsa, request.path)
        if self.dsa.world.now_ms() >= until or place is None:
            return refuse_link(403, request)
        records = self.dsa.visible(*place)
        if not records:
            return refuse_link(404, request)
        return Response(200, self.packed(*place, records), "application/octet-stream", records=records)

    def packed(self, hour: int, host: str, records: Sequence[Record]) -> bytes:
        """Return the bytes of a file; the same lines give the same bytes."""
        plain = b"".join(record.text + b"\n" for record in records)
        key = (hour, host, self.dsa.switches.packing)
        if self._packed.get(key, (b"",))[0] != plain:
            self._packed[key] = (plain, _pack(plain, self.dsa.switches.packing, host))
        return self._packed[key][1]


def _pack(plain: bytes, packing: str, name: str) -> bytes:
    return gzip.compress(_tar(plain, name) if packing == "tar" else plain, 1, mtime=0)


def _tar(plain: bytes, name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(f"logs/{name}.log")
        info.size = len(plain)
        archive.addfile(info, io.BytesIO(plain))
    return buffer.getvalue()


def place_of(dsa: Dsa, path: str) -> tuple[int, str] | None:
    """Return the hour and the host of a link's path."""
    match = _PATH.fullmatch(path)
    if match is None or match[3] not in HOSTS:
        return None
    try:
        local = told(match[1] + match[2], "%Y%m%d%H")
    except ValueError:
        return None
    return dsa.utc_ms(local), match[3]


def asked_link(dsa: Dsa, request: Request) -> Asked:
    """Return what a download asks for."""
    place = place_of(dsa, request.path)
    if place is None:
        return Asked("dsa", "download")
    return Asked("dsa", "download", from_ms(place[0]), from_ms(place[0] + HOUR_MS), (place[1],))


def is_link(request: Request) -> bool:
    """Say whether a request is for the download host."""
    return request.path.startswith(f"{PREFIX}/") and request.method == "GET"


def refuse_link(status: int, _request: Request) -> Response:
    """Return the plain refusal of a download host (undocumented)."""
    return Response(status, f"{status}\n".encode(), "text/plain")
