"""The same ministack as the integration tests'."""

from tests.integration.conftest import emulator

__all__ = ["emulator"]
