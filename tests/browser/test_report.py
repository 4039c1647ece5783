"""The monthly report in a real browser: nothing to complain about, and it fits the paper."""

from pathlib import Path

import pytest

from logarchive.coverage.report import report
from tests.browser.chromium import Browser
from tests.browser.sample import month

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_report_is_shown_without_a_complaint_and_fits_a_page_of_paper(
    tab: Browser, tmp_path: Path, language: str
) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(report(month(), "ko" if language == "ko" else "en"))
    tab.open(path, width=760)  # about A4
    assert tab.complaints() == []
    assert tab.evaluate("document.documentElement.lang") == language
    assert tab.evaluate("document.documentElement.scrollWidth") <= 760
    assert len(tab.pdf()) > 20_000
