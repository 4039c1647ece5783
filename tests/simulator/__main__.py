"""Run the simulator as a process: `python -m tests.simulator --port 4610 --seed 7`."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from threading import Event

import orjson

from tests.simulator.control import control
from tests.simulator.simulator import Simulator


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    out = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    out.add_argument("--host", default="127.0.0.1")
    out.add_argument("--port", type=int, default=4610, help="0 chooses a free one")
    out.add_argument("--seed", type=int, default=7)
    out.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="1 is about 100,000 records a provider and week, or more",
    )
    out.add_argument("--clock", help="the time it starts at, ISO 8601 with a zone; now if absent")
    out.add_argument("--control", default="{}", help="orders as for POST /_control, JSON")
    return out


def main() -> None:
    """Print the base URL as a JSON line, then serve until interrupted."""
    arguments = parser().parse_args()
    simulator = Simulator(seed=arguments.seed, scale=arguments.scale, host=arguments.host, port=arguments.port)
    clock = {"clock": arguments.clock} if arguments.clock else {}
    control(simulator, clock | orjson.loads(arguments.control))
    with simulator, suppress(KeyboardInterrupt):
        sys.stdout.write(orjson.dumps({"url": simulator.url, "seed": arguments.seed}).decode() + "\n")
        sys.stdout.flush()
        Event().wait()


if __name__ == "__main__":
    main()
