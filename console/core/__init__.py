"""The pure core: what is shown of a result, what a field, a window, a gap and a record are. No AWS, no terminal."""
