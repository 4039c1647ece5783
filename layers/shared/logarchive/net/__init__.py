"""HTTP to the providers.

What happens here: requests are signed, paced, retried and redacted; bodies are written to local files.
It may not know: what a body means, AWS, or the ledger.
"""
