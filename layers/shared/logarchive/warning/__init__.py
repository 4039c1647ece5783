"""What needs a person: conditions, and the messages that say when one begins and ends.

What happens here: what functions left in the ledger, and what AWS counts of them, become conditions and messages.
It may not know: how a window was fetched or built, no source's configuration, and no record.
"""
