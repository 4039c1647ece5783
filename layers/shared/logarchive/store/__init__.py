"""The archive's bucket.

What happens here: keys, conditional writes, and the manifest of a visit. The only room that calls S3.
It may not know: the ledger, providers, or how rows are made.
"""
