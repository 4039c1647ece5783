"""The account: the stack, its functions, sources, ledger, bucket and Athena. The only room that calls AWS."""
