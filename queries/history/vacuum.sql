-- Deletes the files of `history` that only snapshots of more than five days ago need, or that no snapshot ever needed,
-- because a statement has failed.
VACUUM history
