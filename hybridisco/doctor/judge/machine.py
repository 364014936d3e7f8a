"""Judges the settings, and what kind of machine this is."""

from __future__ import annotations

from ipaddress import IPv4Network

from hybridisco.doctor.facts import Facts, Tcp
from hybridisco.doctor.report import CauseId, Check, Likelihood, Result, Suspicion

# The networks that Docker and Podman give to containers unless they are told otherwise; of Docker's, each has a /16.
_DOCKER = IPv4Network("172.16.0.0/12")
_PODMAN = IPv4Network("10.88.0.0/16")
_JUMP_S = 2.0  # the clocks of one machine drift apart by less in an hour
_EARLIEST = 1_735_689_600.0  # 1 January 2025: before there was a Hybridisco
_LATEST = 4_102_444_800.0  # 1 January 2100


def settings(facts: Facts) -> tuple[Check, ...]:
    """Judge the user's file."""
    title, file = "Settings", facts.settings.file
    if facts.settings.error:
        return (
            Check(
                "settings",
                title,
                Result.PROBLEM,
                (facts.settings.error,),
                "With a wrong file no command searches at all. The checks below were made with the defaults.",
                "Correct the file; `hybridisco config check` says whether it is right.",
                Suspicion(CauseId.SETTINGS, Likelihood.CERTAIN, "Your settings file is wrong"),
            ),
        )
    if facts.settings.doubts:
        return (
            Check(
                "settings",
                title,
                Result.WARNING,
                facts.settings.doubts,
                "What the file names is not there now, so nothing is searched or checked in its place.",
                f"Correct {file}, or plug in what it names.",
                Suspicion(CauseId.INTERFACES, Likelihood.LIKELY, "Your settings name what is not there"),
            ),
        )
    return (Check("settings", title, Result.OK, (f"{file} is right" if file else "no file: the defaults hold",)),)


def container(facts: Facts) -> tuple[Check, ...]:
    """Judge whether this is a container behind a bridge, which multicast does not cross."""
    title = "Container network"
    if facts.links is None or _is_wsl(facts):
        return ()
    mark = facts.machine.container
    own = [
        (link.name, address)
        for link in facts.links.used
        for address in link.interface.addresses
        if address.version == 4 and not address.is_link_local
    ]
    bridged = [(name, address) for name, address in own if _is_containers(str(address))]
    if own and len(bridged) == len(own):
        name, address = bridged[0]
        evidence = (f"{name} has {address}, a network that containers get", *([f"container: {mark}"] if mark else ()))
        return (
            Check(
                "container",
                title,
                Result.PROBLEM if mark else Result.WARNING,
                evidence,
                "This program probably runs in a container behind a bridge, which no multicast crosses: it hears no "
                "announcement of the LAN, and nobody there hears its own.",
                "Start the container with the network of its host (docker run --network host; in Compose network_mode: "
                "host), or write services down with `hybridisco add http://HOST:PORT`.",
                Suspicion(
                    CauseId.CONTAINER,
                    Likelihood.LIKELY if mark else Likelihood.POSSIBLE,
                    "A container's bridge stands between this program and the LAN",
                ),
            ),
        )
    if mark:
        return (Check("container", title, Result.OK, (f"a container ({mark}), but not behind a bridge",)),)
    return (Check("container", title, Result.OK, ("no container",)),)


def _is_containers(address: str) -> bool:
    bare, _, prefix = address.partition("/")
    network = IPv4Network(f"{bare}/32")
    return (network.subnet_of(_DOCKER) and prefix == "16") or network.subnet_of(_PODMAN)


def _is_wsl(facts: Facts) -> bool:
    return "microsoft" in facts.machine.release.lower()


def wsl(facts: Facts) -> tuple[Check, ...]:
    """Judge whether this is WSL2 behind its NAT."""
    if not _is_wsl(facts) or facts.links is None:
        return ()
    title = "WSL2 network"
    behind = [
        f"{link.name} has {address}"
        for link in facts.links.used
        for address in link.interface.addresses
        if address.version == 4 and IPv4Network(f"{address.ip}/32").subnet_of(_DOCKER)
    ]
    if not behind:
        return (Check("wsl", title, Result.OK, ("WSL2 with the networks of Windows (mirrored)",)),)
    return (
        Check(
            "wsl",
            title,
            Result.PROBLEM,
            (f"kernel {facts.machine.release}", *behind),
            "WSL2 stands behind a NAT of Windows, which no multicast crosses.",
            "Write `networkingMode=mirrored` under [wsl2] in %UserProfile%\\.wslconfig, run `wsl --shutdown`, and "
            "allow UDP port 5353 in the Windows firewall; or run Hybridisco in Windows itself.",
            Suspicion(CauseId.WSL, Likelihood.LIKELY, "WSL2's NAT stands between this program and the LAN"),
        ),
    )


def permission(facts: Facts) -> tuple[Check, ...]:
    """Judge macOS' local-network permission. Its only symptom is EHOSTUNREACH from an address on the own link."""
    if facts.machine.platform != "darwin":
        return ()
    title = "Local-network permission"
    hosts = facts.hosts or ()
    refused = [
        f"{reply.address} port {reply.port}: no route to host, although it is on {dict(host.links)[reply.address]}"
        for host in hosts
        for reply in host.replies
        if reply.outcome is Tcp.NO_ROUTE and reply.address in dict(host.links)
    ]
    if any(host.up for host in hosts):
        return (Check("permission", title, Result.OK, ("connections to the LAN are allowed",)),)
    if not refused:
        return (
            Check(
                "permission",
                title,
                Result.UNKNOWN,
                ("no host of the LAN was tried",),
                fix="Give one with --host. The switch is in System Settings › Privacy & Security › Local Network.",
            ),
        )
    return (
        Check(
            "permission",
            title,
            Result.PROBLEM,
            tuple(refused[:4]),
            "macOS answers so while the program (Blender, the terminal) is not allowed to use the local network.",
            "Allow it in System Settings › Privacy & Security › Local Network, and start it again.",
            Suspicion(CauseId.PERMISSION, Likelihood.LIKELY, "macOS does not let this program use the local network"),
        ),
    )


def clock(facts: Facts) -> tuple[Check, ...]:
    """Judge whether the wall clock can be right, and whether it jumped while we looked."""
    if facts.clock is None:
        return ()
    (began, ended), (from_, to) = facts.clock.wall, facts.clock.monotonic
    jump_s = (ended - began) - (to - from_)
    evidence = []
    if abs(jump_s) >= _JUMP_S:
        evidence.append(f"the wall clock jumped by {jump_s:+.0f} s during the examination")
    if not _EARLIEST <= ended <= _LATEST:
        evidence.append(f"the wall clock is at {ended:.0f} s since 1970, which cannot be")
    if not evidence:
        slept = facts.clock.slept_s
        told = f"; the machine has slept for {slept:.0f} s since its start" if slept and slept >= _JUMP_S else ""
        return (Check("clock", "Clock", Result.OK, (f"runs evenly{told}",)),)
    return (
        Check(
            "clock",
            "Clock",
            Result.WARNING,
            tuple(evidence),
            "When the clock jumps, what was seen just now looks old, and services come and go. Probably the time is "
            "being set right, or a virtual machine was paused.",
            "Let the system set its time (timedatectl set-ntp true), and look again.",
            Suspicion(CauseId.CLOCK, Likelihood.POSSIBLE, "The clock of this machine is not to be trusted"),
        ),
    )
