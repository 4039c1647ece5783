"""Which addresses are public, and which are never connected to. Pure."""

import ipaddress
from collections.abc import Iterator

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Metadata services that are not link-local: EC2 and EKS over IPv6, Google over IPv6, Alibaba, Oracle, Azure.
METADATA = frozenset(
    map(
        ipaddress.ip_address,
        ("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    )
)
#: Networks whose last 32 bits are an IPv4 address: IPv4-compatible, IPv4-translated, NAT64, NAT64 for local use.
_EMBEDDING = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")))
#: Networks that are not public although `is_global` is True: IPv4-compatible and IPv4-translated, site-local,
#: documentation, SRv6.
_NOT_PUBLIC = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "fec0::/10", "3fff::/20", "5f00::/16")))
#: What comes before the IPv4 address in an ISATAP address, without the bit for "globally unique".
_ISATAP, _ISATAP_MASK = 0x0000_5EFE, 0xFDFF_FFFF
_LAST_32_BITS = 0xFFFF_FFFF


def is_never_reached(text: str) -> bool:
    """Return whether an address, or one inside it, is link-local, of a metadata service, unspecified or multicast."""
    return any(
        address.is_link_local or address.is_multicast or address.is_unspecified or address in METADATA
        for address in _addresses(ipaddress.ip_address(text))
    )


def is_public(text: str) -> bool:
    """Return whether an address is public, and so is each address inside it."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and (
        _is_isatap(address) or any(address in network for network in _NOT_PUBLIC)
    ):
        return False
    return all(each.is_global for each in _addresses(address))


def _addresses(address: Address) -> Iterator[Address]:
    """Yield an address, and the IPv4 addresses that an IPv6 address may lead to."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    if _is_isatap(address) or any(address in network for network in _EMBEDDING):
        yield ipaddress.IPv4Address(int(address) & _LAST_32_BITS)
    yield from filter(None, (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())))


def _is_isatap(address: ipaddress.IPv6Address) -> bool:
    return int(address) >> 32 & _ISATAP_MASK == _ISATAP
