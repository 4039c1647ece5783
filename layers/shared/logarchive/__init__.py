"""The layer shared by all functions.

Its rooms, each of which uses only later ones: `action` carries out an event, `visit` archives one window, `runtime`
holds settings, sources, time and log of a Lambda function; `vendor` holds what APIs of one vendor share, `net` sends
requests, `ledger` keeps the state of each window in DynamoDB; `provider` describes an API, `row` makes the Parquet
object, `store` writes to S3, `column` makes columns from records, `record` reads the records of a body. The modules
outside the rooms (windows, moments, parts, numbers, errors) are shared by all.
"""
