"""Is an archive the truth? Judged from outside, by code that shares nothing with the archive's own.

`compare` holds every row against the provider's records, `lead_back` follows every row to its raw record, `check_raw`
hashes what stands. Each returns findings: counts, which the caller must look at, and differences.
"""

from tests.truth.archive import Bucket as Bucket
from tests.truth.archive import Place as Place
from tests.truth.comparison import compare as compare
from tests.truth.difference import Difference as Difference
from tests.truth.difference import Findings as Findings
from tests.truth.ledger import Window as Window
from tests.truth.ledger import read as read
from tests.truth.ledger import windows as windows
from tests.truth.raw import check_raw as check_raw
from tests.truth.truth import Record as Record
from tests.truth.truth import Truth as Truth
from tests.truth.truth import over_http as over_http
from tests.truth.way_back import lead_back as lead_back
