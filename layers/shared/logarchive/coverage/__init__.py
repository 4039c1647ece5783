"""What a person sees of the archive: the coverage page, the table `windows`, the monthly report.

What happens here: entries of the ledger become numbers of hours and days, and these become HTML and Parquet.
It may not know: how a window was fetched or built, no source's configuration, and no record.
"""
