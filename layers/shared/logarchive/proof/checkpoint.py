"""Checkpoints: size and root of the proof log as signed text. Pure.

Sources: c2sp.org/tlog-checkpoint and c2sp.org/signed-note.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from logarchive.errors import ArchiveError

#: The type of an Ed25519 signature in a signed note.
ED25519 = b"\x01"
#: A public key in DER, as AWS KMS returns it, is this and then the key's 32 bytes (RFC 8410).
_DER = bytes.fromhex("302a300506032b6570032100")


@dataclass(frozen=True)
class Checkpoint:
    """The whole state of a log: its name, how many entries it has, and the root of their tree."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, note: bytes) -> "Checkpoint":
        """Read the text of a note; its signatures are not looked at. Raises ArchiveError if it is no checkpoint."""
        try:
            origin, size, root, *_ = note.decode().split("\n")
            found = cls(origin, int(size), base64.b64decode(root, validate=True))
        except (ValueError, binascii.Error) as error:
            raise ArchiveError(f"not a checkpoint: {error}") from error
        if found.size < 0 or not note.decode().startswith(f"{found.text}\n"):
            raise ArchiveError("not a checkpoint: its first lines are not a name, a size and a root")
        return found


@dataclass(frozen=True)
class VerifierKey:
    """A public Ed25519 key and its name, which is the origin of the log that it signs."""

    name: str
    public: bytes

    @classmethod
    def of_der(cls, name: str, der: bytes) -> "VerifierKey":
        """Read the key that AWS KMS returns. Raises ArchiveError if it is none of Ed25519."""
        if not der.startswith(_DER) or len(der) != len(_DER) + 32:
            raise ArchiveError(f"{name}: the key is no Ed25519 key; create it with KeySpec ECC_NIST_EDWARDS25519")
        return cls(name, der.removeprefix(_DER))

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """The key as one line, `name+id+base64`, for whoever verifies."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    def line(self, signature: bytes) -> str:
        """Return the line of a signature by this key."""
        return f"\u2014 {self.name} {base64.b64encode(self.id + signature).decode()}\n"

    def signed(self, note: bytes) -> bool:
        """Return whether a note has a line by this key; whether that line is right is for a verifier to say."""
        start = f"\u2014 {self.name} "
        lines = (line.removeprefix(start) for line in note.decode().splitlines() if line.startswith(start))
        return any(_decoded(line).startswith(self.id) for line in lines)


def _decoded(line: str) -> bytes:
    """Decode a signature; one that is cut is none."""
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        return b""


@dataclass(frozen=True)
class Signer:
    """The key that signs a log, and what signs with it."""

    key: VerifierKey
    sign: Callable[[bytes], bytes]

    def line(self, text: str) -> str:
        """Sign a checkpoint's text, and return the line of the signature."""
        return self.key.line(self.sign(text.encode()))


def note(checkpoint: Checkpoint, *lines: str) -> bytes:
    """Return a checkpoint with the lines of its signatures."""
    return f"{checkpoint.text}\n{''.join(lines)}".encode()
