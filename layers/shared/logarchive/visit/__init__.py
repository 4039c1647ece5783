"""A visit: one attempt to archive a window that is claimed.

What happens here: fetch, keep, build, merge, publish, commit, and the recovery of visits that ended half-way.
It may not know: events, results, or which action asked for the visit.
"""
