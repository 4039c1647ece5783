"""`make bench-queries`: each saved query over a month of ten sources, on `logs` and on `history`, in one run.

The engine is Trino, S3 is Versity Gateway on this machine, and every answer of it waits 30 ms. `docs/queries.md` has
the results.
"""
