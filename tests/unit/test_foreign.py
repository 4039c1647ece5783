"""What `make foreign` says where the other S3 cannot be built or started."""

from pathlib import Path

import pytest

from tools.foreign import build, gateway
from tools.stack import StackError, free_port


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return path


def test_without_go_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="install Go"):
        build(tmp_path / "missing", None)


def test_a_failed_build_shows_what_go_said(tmp_path: Path) -> None:
    go = program(tmp_path / "go", "echo no route to host >&2; exit 1")
    with pytest.raises(StackError, match="try again:\nno route to host"):
        build(tmp_path / "missing", str(go))


def test_what_is_built_and_current_is_not_built_again(tmp_path: Path) -> None:
    build(program(tmp_path / "gateway", "exit"), None)


def test_a_gateway_that_ends_at_once_shows_its_log(tmp_path: Path) -> None:
    ends = program(tmp_path / "gateway", "echo no extended attributes here")
    with pytest.raises(StackError, match="no extended attributes here"), gateway(ends, free_port()):
        pass
