"""From records to the columns of the table `logs`.

What happens here: a provider's mapping turns blocks of records into typed Arrow columns and `attributes`.
It may not know: how a body was read, who the provider is, or what becomes of the rows.
"""
