"""The proof log of a stack: its public key, and the notary, which brings it up to date."""

import base64
import hashlib

from console.account.stack import Stack

NOTARY = "notary"
#: The number of Ed25519 in a verifier key, as sumdb's note format counts.
_ED25519 = b"\x01"
_PUBLIC_BYTES = 32


def key_of(stack: Stack) -> str:
    """Return the public key as the verifier takes it; `none` if the stack's log is not signed."""
    arn = stack.outputs.get("ProofSigningKeyArn")
    if arn is None:
        return "none"
    der = stack.clients.keys.get_public_key(KeyId=arn)["PublicKey"]
    return written(f"{stack.outputs['BucketName']}/proof", der)


def written(name: str, der: bytes) -> str:
    """Return a key of KMS as one line, `name+id+base64`. Pure."""
    body = _ED25519 + der[-_PUBLIC_BYTES:]
    key_id = hashlib.sha256(name.encode() + b"\n" + body).digest()[:4]
    return f"{name}+{key_id.hex()}+{base64.b64encode(body).decode()}"


def notarize(stack: Stack) -> None:
    """Have the notary state in the log what was archived since it ran last; the daily page is left to its schedule."""
    stack.act(NOTARY, NOTARY, daily=False)
