"""`make local`: runs every function in a container and compares the bucket with the simulator's records."""
