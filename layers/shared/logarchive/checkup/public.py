"""Where the function may connect to for an event that brings an address and credentials of its own: public ones."""

from collections.abc import Sequence

from logarchive.errors import ForbiddenError
from logarchive.net.transport import Admit
from logarchive.provider.address import is_public


class NotPublicError(ForbiddenError):
    """Only the event names this address, and it is not public."""


def only_public(admit: Admit) -> Admit:
    """Return a rule that admits only those addresses that are public as well.

    Whoever may invoke the function must not look around in its network by it. Raises NotPublicError if none is left.
    """

    def admitted(host: str, port: int, addresses: Sequence[str]) -> Sequence[str]:
        allowed = [address for address in admit(host, port, addresses) if is_public(address)]
        if addresses and not allowed:
            raise NotPublicError(f"not sent: {host} is no public address, and no written source has this base_url")
        return allowed

    return admitted
