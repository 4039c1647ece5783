"""The targets of `make fuzz` hold for the bytes that it starts from, and for what it has found."""

import pytest

from tests.fuzz import seed
from tests.fuzz.api import APIS, provider_of
from tests.fuzz.target import TARGETS
from tools.registry import providers

_, _, COMPRESSED, _ = seed.manifests()
#: Inputs that once raised what is not declared, or contradicted what must hold.
FOUND = (
    ("manifest", b""),
    ("manifest", b"[]"),
    ("manifest", COMPRESSED.replace(b'"time": "', b'"time": "x')),
    ("manifest", COMPRESSED.replace(b'"asked": [', b'"asked": [1, ')),
    ("manifest", COMPRESSED.replace(b"\x1f\x8b\x08", b"\x1f\x8b\x09")),
)


def test_every_provider_is_fuzzed() -> None:
    assert {*map(provider_of, APIS)} == {*providers()}, "tests/unit/test_fetch.py: GOOD"


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds_for_what_it_starts_from(name: str) -> None:
    for data in TARGETS[name].seeds():
        TARGETS[name].check(data)


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_was_found_is_not_found_again(name: str, data: bytes) -> None:
    TARGETS[name].check(data)
