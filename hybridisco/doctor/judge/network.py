"""Judges the interfaces, the default route, and IPv6."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hybridisco.doctor.facts import Facts, Link, Links
from hybridisco.doctor.judge.local import TITLES
from hybridisco.doctor.report import CauseId, Check, Likelihood, Result, Suspicion

# Names that VPN programs give their tunnels; a link from point to point is one whatever it is called.
_TUNNEL = re.compile(
    r"(u?tun|wg|ppp|tailscale|nordlynx|proton|ipsec|gpd|cscotun|pangp|wt)\d*|(wg|tun)-.+|.*(VPN|WireGuard|Tailscale).*",
    re.IGNORECASE,
)
_NOT_LOOKED = "The interfaces of this machine could not be read."


def is_tunnel(link: Link) -> bool:
    """Whether an interface is a tunnel rather than a LAN."""
    return bool(link.point_to_point) or _TUNNEL.fullmatch(link.name) is not None


def interfaces(facts: Facts) -> tuple[Check, ...]:
    """Judge which interfaces multicast can use, and say why others are skipped."""
    title = "Network interfaces"
    if facts.links is None:
        return (Check("interfaces", title, Result.UNKNOWN, (_NOT_LOOKED,)),)
    links = facts.links
    evidence = tuple(_line(link, links, facts.settings.interfaces) for link in links.every)
    if links.speaking:
        return (Check("interfaces", title, Result.OK, evidence),)
    silent = [link for link in links.used if link.up is not False]
    if silent:
        names = ", ".join(link.name for link in silent)
        return (
            Check(
                "interfaces",
                title,
                Result.PROBLEM,
                evidence,
                f"{names} cannot send multicast, which mDNS needs. Probably it is a tunnel, or was set up so.",
                f"Switch it on (Linux: sudo ip link set {silent[0].name} multicast on), or connect a LAN.",
                Suspicion(CauseId.NO_MULTICAST_LINK, Likelihood.CERTAIN, "No network interface can send multicast"),
            ),
        )
    return (
        Check(
            "interfaces",
            title,
            Result.PROBLEM,
            evidence or ("there is none",),
            "No interface with an address leads to a LAN. Probably a cable is unplugged, Wi-Fi is off, or the router "
            "has given no address yet.",
            "Connect the network. Services of this machine are found all the same.",
            Suspicion(CauseId.NO_NETWORK, Likelihood.CERTAIN, "This machine is on no network"),
        ),
    )


def _line(link: Link, links: Links, only: tuple[str, ...]) -> str:
    """Return an interface, its addresses, and whether it is used or why not."""
    addresses = ", ".join(map(str, link.interface.addresses)) or "no address"
    return f"{link.name}: {addresses}: {_use(link, links, only)}"


def _use(link: Link, links: Links, only: tuple[str, ...]) -> str:
    if link.up is False:
        return "skipped, it is down"
    if not link.interface.addresses:
        return "skipped, it has no address"
    if link.interface.loopback:
        return "skipped, it leads back to this machine only"
    if link.name not in links.usable:
        if only:
            return "skipped, mdns.interfaces of your settings does not name it"
        return "skipped, it is a switch of containers or virtual machines"
    if link.multicast is False:
        return "skipped, it cannot send multicast (no MULTICAST flag)"
    return "used" if link.carrier is not False else "used, but it has no carrier: is the cable in?"


def default_route(facts: Facts) -> tuple[Check, ...]:
    """Judge whether a VPN stands between this machine and its LAN."""
    title = "VPN"
    if facts.links is None:
        return (Check("vpn", title, Result.UNKNOWN, (_NOT_LOOKED,)),)
    links = facts.links
    tunnels = {link.name for link in links.every if is_tunnel(link)}
    through = [(family, name) for family, name in links.default if name in tunnels]
    lan = [link for link in links.speaking if link.name not in tunnels]
    used = [link.name for link in links.used if link.name in tunnels]
    if used and not lan:
        return (
            Check(
                "vpn",
                title,
                Result.PROBLEM,
                tuple(f"{name} is a tunnel, and no interface leads to a LAN" for name in used),
                "Multicast does not cross a VPN's tunnel: announcements of the other side do not come through.",
                "Connect to the LAN itself, or write services down with `hybridisco add http://HOST:PORT`.",
                Suspicion(CauseId.ONLY_TUNNEL, Likelihood.LIKELY, "The only network is a VPN, which mDNS cannot cross"),
            ),
        )
    if through:
        return (
            Check(
                "vpn",
                title,
                Result.WARNING,
                tuple(
                    f"the default route ({TITLES[family]}) leads through {name}, a tunnel" for family, name in through
                ),
                "Multicast does not cross a tunnel, and many VPN programs also cut this machine off from its LAN. What "
                "is behind the VPN announces itself in vain.",
                "Write services behind the VPN down with `hybridisco add http://HOST:PORT`; for those of the LAN, end "
                "the VPN for a moment, or allow access to the local network in its settings.",
                Suspicion(
                    CauseId.TUNNEL,
                    Likelihood.POSSIBLE if facts.found is not None and facts.found.answering else Likelihood.LIKELY,
                    "A VPN has the default route",
                ),
            ),
        )
    names = dict.fromkeys(name for _, name in links.default)
    return (
        Check("vpn", title, Result.OK, (f"the default route leads through {', '.join(names)}" if names else "none",)),
    )


def ipv6(facts: Facts) -> tuple[Check, ...]:
    """Judge whether IPv6 is there. Services that announce IPv6 only are not reached without."""
    title = "IPv6"
    if facts.links is None:
        return (Check("ipv6", title, Result.UNKNOWN, (_NOT_LOOKED,)),)
    speaking = facts.links.speaking
    if not speaking:
        return (Check("ipv6", title, Result.SKIPPED, ("there is no network",)),)
    without = [link for link in speaking if not link.has("ipv6")]
    lines = tuple(_without(facts.links, without))
    if facts.links.ipv6 and len(without) < len(speaking):
        with_it = ", ".join(link.name for link in speaking if link.has("ipv6"))
        return (Check("ipv6", title, Result.OK, (f"there on {with_it}", *lines)),)
    return (
        Check(
            "ipv6",
            title,
            Result.WARNING,
            lines,
            "Hosts that have IPv6 only are not seen, and cannot be reached. Probably it was switched off on purpose.",
            "Where all have IPv4, nothing needs to be done. Else switch it on (Linux: sudo sysctl -w "
            f"net.ipv6.conf.{without[0].name if without else 'all'}.disable_ipv6=0).",
            Suspicion(CauseId.NO_IPV6, Likelihood.POSSIBLE, "There is no IPv6 here"),
        ),
    )


def _without(links: Links, without: list[Link]) -> Iterator[str]:
    if not links.ipv6:
        yield "this system has no IPv6 at all"
        return
    for link in without:
        yield f"{link.name}: {'IPv6 is switched off' if link.ipv6_disabled else 'no IPv6 address'}"
