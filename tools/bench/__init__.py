"""`make bench`: what the archive costs, as ratios of CPU time to what nobody can avoid and to other tools.

Every side of a comparison runs in a process of its own, in turn with the other one, and counts its CPU time from after
its imports, children included. So what else runs on the machine falls on both. `docs/performance.md` has the results.
"""
