"""The ledger: the DynamoDB table that says what became of each window.

What happens here: entries, claims, commits and planning; every change is one conditional write or transaction.
It may not know: S3, HTTP, or how a window is visited.
"""
