import os
from collections.abc import Iterator

import pytest

from tests.browser.chromium import NAMES, Browser, browser, program


@pytest.fixture(scope="session")
def tab() -> Iterator[Browser]:
    """Open a browser. Without one the tests are skipped, but not where everything must be tested."""
    if program() is None:
        why = f"no browser ({', '.join(NAMES)}): on Debian, apt-get install chromium fonts-noto-cjk"
        if os.environ.get("BROWSER") == "required":
            pytest.fail(why)
        pytest.skip(why)
    with browser() as opened:
        yield opened
