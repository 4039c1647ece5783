"""`make demo`: the stack on this machine, the simulated providers, and a look at everything that comes of it."""
