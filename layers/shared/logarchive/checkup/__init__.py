"""What `doctor` looks at, and what it makes of that.

What happens here: one small request is sent as a visit would send it; pure functions turn what was found into checks.
It may not know: events, results, windows that are claimed, or how anything is written.
"""
