"""What it tells that this machine finds no address for a name."""

from __future__ import annotations

from hybridisco.doctor.report import CauseId, Likelihood


def unknown(name: str) -> tuple[CauseId, Likelihood, str, str, str]:
    """Return cause, likelihood, title, why and what to do.

    Only the system's resolver was asked. On many machines it cannot look up names in ``.local``, which mDNS tells
    (RFC 6762 section 3): then the name may be right and its machine well.
    """
    if name.rstrip(".").lower().endswith(".local"):
        return (
            CauseId.HOST_UNKNOWN,
            Likelihood.LIKELY,
            f"This machine cannot look up {name}",
            "The name is misspelt, or the machine is off, or does not tell its name, or this machine's resolver does "
            "not ask by mDNS, as names in .local need.",
            "Use the machine's IP address. On Debian and Ubuntu, names in .local need the package libnss-mdns.",
        )
    return (
        CauseId.HOST_UNKNOWN,
        Likelihood.CERTAIN,
        f"The name {name} is not known",
        "Probably it is misspelt, or the machine is off, or it does not tell its name.",
        "Check the name, or use the machine's IP address.",
    )
