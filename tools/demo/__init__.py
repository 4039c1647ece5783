"""`make demo`: the stack on this machine, the simulated providers, and what they produce."""
