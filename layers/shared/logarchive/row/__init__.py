"""The Parquet object of a window.

What happens here: parts become rows with their ids, duplicates and rejects, merged with the existing object.
It may not know: where the object lies in S3, what the ledger says, or how the parts were fetched.
"""
