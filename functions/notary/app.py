"""The notary: no provider, but the function that states in the proof log what the others have archived."""

from logarchive.action.notary import lambda_handler

handler = lambda_handler()
