"""The runtime of a Lambda function.

What happens here: environment, AWS clients, sources and secrets, clock and deadline, log lines and metrics.
It may not know: what an action does.
"""
