"""The two-sided test: which ways between us and another host are open.

Theory of operation. A sidecar answers every question twice, by multicast and by unicast. With the questions that are
put by multicast and by unicast that makes four ways, of which each proves something:

==========  ===========  ===============================================================================
asked by    answered by  it proves
==========  ===========  ===============================================================================
multicast   multicast    all is well
multicast   unicast      our multicast gets there; with no answer by multicast, theirs does not come in
unicast     multicast    their multicast comes in; with no answer to a multicast, ours does not get there
unicast     unicast      the host, its sidecar and UDP are well; alone, that multicast is lost both ways
==========  ===========  ===============================================================================

Where none is there, TCP tells a host that is off from a firewall; a refusal of UDP port 5353 tells that nobody has it.
A unicast question may reach an Avahi beside the sidecar, which knows no answer: only what came proves anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from hybridisco.core.identity import bare_host
from hybridisco.doctor.facts import Answer, Asked, Exchange, Family, HostFacts


@dataclass(frozen=True, slots=True)
class Ways:
    """Which of the four ways were open, named asked–answered; ``tried``: a multicast question left this machine."""

    tried: bool = False
    multicast_multicast: bool = False
    multicast_unicast: bool = False
    unicast_multicast: bool = False
    unicast_unicast: bool = False

    @property
    def any(self) -> bool:
        """Whether a sidecar answered at all."""
        return self.well or self.multicast_unicast or self.unicast_multicast or self.unicast_unicast

    @property
    def well(self) -> bool:
        """Whether mDNS works in both directions."""
        return self.multicast_multicast

    def __str__(self) -> str:
        def said(name: str, *open_: bool) -> str:
            kinds = [kind for kind, one in zip(("multicast", "unicast"), open_, strict=True) if one]
            return f"asked by {name}: {'answered by ' + ' and '.join(kinds) if kinds else 'no answer'}"

        asked = [said("unicast", self.unicast_multicast, self.unicast_unicast)]
        if self.tried:
            asked.insert(0, said("multicast", self.multicast_multicast, self.multicast_unicast))
        return "; ".join(asked)


def answers_of(host: HostFacts, exchange: Exchange) -> tuple[Answer, ...]:
    """Return the answers of one host: from its addresses, to what was asked of it, or by its name."""
    asked_of_it = {one.nonce for one in exchange.asked if one.to in host.addresses and one.to is not None}
    sure = [a for a in exchange.answers if a.nonce in asked_of_it or a.source in host.addresses]
    names = {bare_host(answer.host) for answer in sure if answer.host} or {bare_host(host.name)}
    return tuple(a for a in exchange.answers if a in sure or (a.host and bare_host(a.host) in names))


def ways(host: HostFacts, exchange: Exchange, family: Family) -> Ways:
    """Return which ways between us and a host are open in one family."""
    asked: dict[str, Asked] = {one.nonce: one for one in exchange.asked if one.family == family}
    # What came over the other family proves nothing of this one.
    fitting = [a for a in answers_of(host, exchange) if a.nonce in asked and (":" in a.source) == (family == "ipv6")]
    seen = {(asked[a.nonce].how, a.via) for a in fitting}
    return Ways(
        any(one.how == "multicast" and one.error is None for one in asked.values()),
        ("multicast", "multicast") in seen,
        ("multicast", "unicast") in seen,
        ("unicast", "multicast") in seen,
        ("unicast", "unicast") in seen,
    )
