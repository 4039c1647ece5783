"""Is an archive the truth? Judged from outside, by code that shares nothing with the archive's own.

`compare` holds every row against the provider's records, `lead_back` follows every row to its raw record, `check_raw`
hashes what stands. Each returns findings: counts, which the caller must look at, and differences.
"""

from tests.truth.archive import Bucket, Place
from tests.truth.comparison import compare
from tests.truth.difference import Difference, Findings
from tests.truth.ledger import Window, read, windows
from tests.truth.raw import check_raw
from tests.truth.truth import Record, Truth, over_http
from tests.truth.way_back import lead_back

__all__ = [
    "Bucket",
    "Difference",
    "Findings",
    "Place",
    "Record",
    "Truth",
    "Window",
    "check_raw",
    "compare",
    "lead_back",
    "over_http",
    "read",
    "windows",
]
