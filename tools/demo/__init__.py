"""`make demo`: the stack on this machine, the simulated providers, and what they produce."""
# 16 modules: what is shown has one for each kind, and what waits, fails or is kept stands apart from it.
