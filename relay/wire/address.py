"""Which addresses count as one, and which are at home."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Networks that the internet does not carry: RFC 1918, RFC 3927, RFC 4193, RFC 4291.
HOME: tuple[IpNetwork, ...] = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)


@lru_cache(4096)
def address(host: str) -> IpAddress | None:
    """The address that a socket names; None if it is none. IPv4 within IPv6 is IPv4."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


@lru_cache(4096)
def source(host: str) -> str:
    """Under which name somebody is counted: the address, or of IPv6 the network of a household.

    Providers give each household a /64 at least, so one person has as many addresses as they like.
    What is no address at all counts as one and the same.
    """
    found = address(host)
    if found is None:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and not found.is_loopback:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def is_within(host: str, networks: Iterable[IpNetwork]) -> bool:
    """Whether the address is in one of the networks."""
    found = address(host)
    return found is not None and any(found in network for network in networks)


def is_loopback(host: str) -> bool:
    """Whether it is this machine."""
    found = address(host)
    return found is not None and found.is_loopback
