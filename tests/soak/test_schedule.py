"""Random schedules of workers, ticks, backfills, faults and kills keep every promise. A seed that fails is named.

`make test` plays 100 seeds, `make soak` 4,900 more: together 5,000.
To replay one: `.venv/bin/python -c "from tests.soak.scheduler import play; play(7)"`.
"""

import pytest

from tests.soak.scheduler import play

EACH = 20


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 100, EACH))
def test_a_random_schedule_keeps_every_promise(first: int) -> None:
    for seed in range(first, first + EACH):
        play(seed)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(100, 5000, EACH))
def test_many_random_schedules_keep_every_promise(first: int) -> None:
    for seed in range(first, first + EACH):
        play(seed)
