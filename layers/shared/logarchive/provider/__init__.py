"""What an `app.py` is written with.

What happens here: a provider is described: the models of its source and secret, its requests, pages and columns.
It may not know: a particular provider, HTTP connections, AWS, or when it is asked.
"""
