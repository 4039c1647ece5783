"""The proof log: what the archive states about itself, as a Merkle tree that only grows, in the format of tlog-tiles.

What happens here: hashes, tiles, checkpoints, and the entries that say what became of a window.
It may not know: how a window was fetched, merged or built, and no record.
"""
