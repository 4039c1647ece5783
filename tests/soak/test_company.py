"""A record becomes the same row or reject in any company.

`make test` builds 6,000 made-up records, `make soak` 300,000.
To replay a thousand: `.venv/bin/python -c "from tests.soak.company import compare; compare('array', 7, 1000)"`.
"""

import pytest

from tests.soak.company import KINDS, compare

KIND = pytest.mark.parametrize("kind", KINDS)


@pytest.mark.slow
@KIND
def test_a_record_is_the_same_row_or_reject_in_any_company(kind: str) -> None:
    for seed in range(4):
        assert compare(kind, seed, 300) > 100


@pytest.mark.soak
@pytest.mark.parametrize("first", range(4, 64, 5))
@KIND
def test_each_of_many_records_is_the_same_row_or_reject_in_any_company(kind: str, first: int) -> None:
    for seed in range(first, first + 5):
        assert compare(kind, seed, 1000) > 300
