"""The layer shared by all functions: windows, ledger, raw store, rows, and the signed HTTP client."""
