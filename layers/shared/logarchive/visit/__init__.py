"""A visit: one attempt to archive a window that is claimed.

What happens here: the worker claims a window; an attempt recovers what earlier claims left, collects parts, merges
their rows with the existing object, and commits. Every step works on the claim, and stops when it is lost.
It may not know: events, results, or which action asked for the visit.
"""
