"""An S3 far away: each answer of the one behind it waits a while before it is passed on.

It passes on bytes and reads none of them, so that it costs little: what the client sends after an answer is a request,
and what comes back first after a request begins its answer.
"""

import asyncio
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from tools.stack import LOOPBACK

#: As much as is passed on at once.
PIECE_BYTES = 256 * 1024


@dataclass
class Delay:
    """How long each answer waits, and how many there were; may be changed at any time."""

    seconds: float = 0
    answers: int = 0


@dataclass
class _Connection:
    """A client's connection, and when its last request began; None once its answer has begun."""

    delay: Delay
    begun: float | None = None

    async def requests(self, client: StreamReader, server: StreamWriter) -> None:
        while data := await client.read(PIECE_BYTES):
            if self.begun is None:
                self.begun = asyncio.get_running_loop().time()
            server.write(data)
            await server.drain()

    async def answers(self, server: StreamReader, client: StreamWriter) -> None:
        while data := await server.read(PIECE_BYTES):
            if self.begun is not None:
                await asyncio.sleep(self.begun + self.delay.seconds - asyncio.get_running_loop().time())
                self.begun = None
                self.delay.answers += 1
            client.write(data)
            await client.drain()


@contextmanager
def delayed(endpoint: str) -> Generator[tuple[str, Delay]]:
    """Yield the address of an S3 that passes everything on to another, and how long its answers wait: at first, 0."""
    made = Delay()
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    port: list[int] = []
    listens = threading.Event()
    to = urlsplit(endpoint)

    async def connected(client: StreamReader, back: StreamWriter) -> None:
        server, there = await asyncio.open_connection(to.hostname, to.port)
        connection = _Connection(made)
        ways = [
            asyncio.ensure_future(way) for way in (connection.requests(client, there), connection.answers(server, back))
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for writer in (there, back):
                writer.close()
            await asyncio.gather(*ways, return_exceptions=True)  # who has gone wants no answer

    async def serve() -> None:
        async with await asyncio.start_server(connected, LOOPBACK, 0) as server:
            port.append(server.sockets[0].getsockname()[1])
            listens.set()
            await ended.wait()
            server.close_clients()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    if not listens.wait(10):
        raise RuntimeError("the S3 with a delay does not listen")
    try:
        yield f"http://{LOOPBACK}:{port[0]}", made
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()
