"""Why a backend must not be announced now, in words for its owner: what was seen, why it is likely, what to do."""

from __future__ import annotations

from collections.abc import Mapping

from announcers.assignment import Assignment
from announcers.look import Look, Reach
from hybridisco import Endpoint, Finding, Status, explain_problem


def why_not(job: Assignment, seen: Look, titles: Mapping[str, str]) -> str | None:
    """Return why the backend must not be announced now; None if it may be.

    :param titles: the titles of all kinds, by id.
    """
    if seen.reach is Reach.OFFLINE:
        return _offline(job)
    if seen.finding is None or seen.endpoint is None:
        return f"nothing listens on port {job.port}{_chosen(job, ' at ')}. {job.kind.start_hint}"
    if not seen.finding.alive:
        return explain_problem(
            seen.finding.cause, seen.endpoint, job.kind, local=True, http="without --tls", https="--tls"
        )
    if seen.finding.kind is None and seen.finding.cause is not None:
        return (
            f"{job.kind.title} answers with a server error on every path at {seen.endpoint.url}. It has probably "
            "crashed, or is still loading. Look at its console; restart it if it stays so."
        )
    if not _may_be(job, seen.finding):
        return _another(job, seen.finding, seen.endpoint.url, titles)
    if seen.reach is Reach.LOOPBACK:
        return _hidden(job, seen.endpoint, seen.refused)
    return None


def firewalled(job: Assignment, rule: str) -> str:
    """Return the reason for a backend that a firewall of this machine keeps from the LAN."""
    return (
        f"{job.kind.title} listens on port {job.port}, but the firewall of this machine lets nobody connect to it "
        f"({rule}). Open TCP port {job.port}: `sudo ufw allow {job.port}/tcp`, `sudo firewall-cmd --add-port="
        f"{job.port}/tcp`, or a rule in the file that the others stand in."
    )


def _offline(job: Assignment) -> str:
    there = _chosen(job, "no address at ") or "no address but its own loopback"
    return (
        f"this machine has no network to announce {job.kind.title} on: there is {there}. Probably a cable is "
        "unplugged, or Wi-Fi is off. Connect it; nothing has to be started again."
    )


def _may_be(job: Assignment, finding: Finding) -> bool:
    """Whether what answers is the kind that is wanted, or hides behind a login or an error what it is."""
    if finding.kind == job.kind.id:
        return True
    login = finding.status is Status.LOCKED and finding.family is not None and finding.family == job.kind.family
    return finding.status is not Status.ONLINE and (finding.kind is None or login)


def _another(job: Assignment, finding: Finding, url: str, titles: Mapping[str, str]) -> str:
    title, found = job.kind.title, titles.get(finding.kind or "")
    if found is None and job.path != "/":
        return (
            f"a web server answers at {url}, but no {title} is under that path. Probably the path is misspelt, or "
            f"{title} is at another. Give the right --path, or leave it out."
        )
    what = f"{found}, not {title}" if found else f"a web server that is not {title}"
    return f"on port {job.port} answers {what}. Give the right kind or port."


def _hidden(job: Assignment, local: Endpoint, refused: tuple[str, ...]) -> str:
    title, address = job.kind.title, local.address
    place = f"[{address}]:{job.port}" if ":" in address else f"{address}:{job.port}"
    if job.only or job.interfaces:  # others were not looked at: it may well listen on those
        return f"{title} answers at {place}, but not{_chosen(job, ' at ')}. {job.kind.lan_hint}".strip()
    if not any((":" in other) == (":" in address) for other in refused):
        # For example before DHCP, while there is link-local IPv6 already: that IPv4 is closed has not been seen.
        family, other = ("IPv6", "IPv4") if ":" in address else ("IPv4", "IPv6")
        return (
            f"{title} answers by {family} only ({place}), and this machine has no network but {other} now. Probably "
            f"an address is still to come. Connect it by {family}, or let {title} listen on {other} too."
        )
    return f"{title} listens on this machine only ({place}), so nobody else could use it. {job.kind.lan_hint}".strip()


def _chosen(job: Assignment, before: str) -> str:
    """Return what the user restricted it to, with ``before`` in front; nothing if it is all of the LAN."""
    if job.only:
        return f"{before}{', '.join(job.only)} (--bind)"
    return f"{before}{', '.join(job.interfaces)} (--interface)" if job.interfaces else ""
