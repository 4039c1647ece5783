"""`make demo`: the stack on this machine, two simulated providers, and a look at everything that comes of it."""
