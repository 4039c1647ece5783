"""The pictures of the docs (`python -m tests.browser.pictures` writes them): page and report of a made-up archive."""

import tempfile
from pathlib import Path

from logarchive.coverage.page import page
from logarchive.coverage.report import report
from tests.browser.chromium import Browser, browser
from tests.browser.sample import coverage, month
from tools.lock import ROOT

FOLDER = ROOT / "docs" / "images"
#: Name of the picture -> language, dark, and where the page is scrolled to.
PICTURES = {
    "coverage-en": ("en", False, None),
    "coverage-ko": ("ko", False, None),
    "coverage-hours-ko-dark": ("ko", True, "source-2"),
}
#: The report is as wide as a sheet of paper.
REPORT, PAPER = "report-ko", 760


def take(tab: Browser, folder: Path) -> None:
    """Take every picture."""
    path = folder / "page.html"
    path.write_bytes(page(coverage(sources=6)))
    for name, (language, dark, place) in PICTURES.items():
        tab.open(path, language=language, dark=dark)
        if place:
            tab.evaluate(f"document.querySelector('#{place}').scrollIntoView()")
            tab.evaluate(f"document.querySelector('#{place} .grid').focus()")
            tab.press("PageUp")
            tab.press("ArrowDown", 13)
        tab.drawn()
        tab.picture(folder / f"{name}.png")
    path.write_bytes(report(month(), "ko"))
    tab.open(path, width=PAPER)
    tab.picture(folder / f"{REPORT}.png")
    path.unlink()


if __name__ == "__main__":
    with browser() as opened, tempfile.TemporaryDirectory() as name:
        take(opened, Path(name))
        for picture in (*PICTURES, REPORT):
            (FOLDER / f"{picture}.png").write_bytes((Path(name) / f"{picture}.png").read_bytes())
