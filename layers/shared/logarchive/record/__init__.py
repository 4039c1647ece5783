"""From the bytes of a body to records.

What happens here: archives are unpacked, JSON, CSV and log lines are cut into blocks of records, exactly.
It may not know: columns, windows, providers, the bucket or the ledger.
"""
