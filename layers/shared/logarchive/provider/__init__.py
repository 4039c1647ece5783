"""What an `app.py` is made of.

What happens here: a provider is described: the models of its source and secret, its requests, pages and columns.
It may not know: a particular provider, HTTP connections, AWS, or when requests are sent.
"""
