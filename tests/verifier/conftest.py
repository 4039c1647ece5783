"""Archives that all tests of a process share: each test puts back what it has changed."""

from pathlib import Path

import pytest

from tests.verifier.archive import Archive, written


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Return one whose log has tiles of two levels."""
    return written(tmp_path_factory.mktemp("copy"))


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Return one that is checked quickly."""
    return written(tmp_path_factory.mktemp("short"), hours=3)


@pytest.fixture
def empty(tmp_path: Path) -> Archive:
    """Return one that a test writes itself."""
    return Archive(tmp_path / "copy")
