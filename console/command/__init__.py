"""The commands: what is asked for, and a pure function that makes a report of what came back.

Each has a module of its own, so there are more than twelve.
"""
