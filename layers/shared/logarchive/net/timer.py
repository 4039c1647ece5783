"""How the client waits: the clock, `sleep`, the time that is left, and the random part of a wait."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from logarchive.moment import Clock
from logarchive.net.transport import Remaining


@dataclass(frozen=True, kw_only=True)
class Timer:
    """Time as a worker's requests see it; tests pass a clock of their own."""

    clock: Clock
    sleep: Callable[[float], None]
    #: The seconds until the deadline.
    remaining: Remaining = lambda: math.inf
    #: A random number in [0, 1).
    jitter: Callable[[], float] = random.random

    def sleep_in_time(self, seconds: float) -> bool:
        """Sleep if that ends before the deadline; return whether it did."""
        if seconds >= self.remaining():
            return False
        if seconds:
            self.sleep(seconds)
        return True
