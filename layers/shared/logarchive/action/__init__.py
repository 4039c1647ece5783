"""What a function does for an event.

What happens here: an event is checked, its action carried out, its result written.
It may not know: how a provider's API works, or how a record becomes a row.
"""
