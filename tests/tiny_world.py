"""A world so small that everything in it meets: three machines, two ports, ids, keys, and what may be said of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from hybridisco.core import problems
from hybridisco.core.evidence import EndpointKey, Evidence, World, renew
from hybridisco.core.fade import life_at
from hybridisco.core.identity import partition
from hybridisco.core.liveness import ORPHAN_AFTER_S
from hybridisco.core.merge import services_of
from hybridisco.core.model import (
    Announcement,
    Change,
    Endpoint,
    EvidenceKey,
    Finding,
    Proof,
    Service,
    SourceName,
    Status,
    Withdrawal,
    check_ref,
)
from hybridisco.core.schedule import doubted, groups_of
from hybridisco.effects import is_our_own_fault, new_pins
from hybridisco.kinds import BUILTIN
from hybridisco.registry import ServiceRegistry
from tests.say import NOW

KINDS = {kind.id: kind for kind in BUILTIN}
ADDRESSES = ("127.0.0.1", "::1", "10.0.0.1", "10.0.0.2", "10.0.0.3", "fe80::2%eth0", "fe80::2%eth1")
LOCAL_SETS = (frozenset[str](), frozenset({"10.0.0.1"}), frozenset({"10.0.0.1", "10.0.0.2", "fe80::2%eth0"}))
INTERFACES = {"10.0.0.2": "eth0", "10.0.0.3": "eth1"}  # that lead there
LOST_SETS = (frozenset[str](), frozenset[str](), frozenset({"eth0"}), frozenset({"eth0", "eth1"}))
PORTS = (8188, 7860)
IDS = (None, None, "X", "Y")
PINS = {"X": "ours", "Y": "theirs"}
PIN_SETS: tuple[Mapping[str, str], ...] = ({}, {"X": "theirs"}, PINS)
SIGNATURES = (
    *[(Proof.UNSIGNED, None)] * 3,
    *[(Proof.SIGNED, key) for key in ("ours", "theirs")],
    *[
        (proof, key)
        for proof in (Proof.SIGNED, Proof.SIGNED, Proof.FALSE, Proof.UNCHECKED)
        for key in ("ours", "theirs")
    ],
)
HOSTS = (None, "box.local", "box", "other.local", "localhost", "localhost.local", "10.0.0.2")
#: What some of these names resolve to; the others to anything.
RESOLVED = {"localhost": ["127.0.0.1", "::1"], "localhost.local": [], "10.0.0.2": ["10.0.0.2"]}
CLAIMS = (None, "comfyui", "wan2gp", "http", "of-no-known-kind")
CAUSES = (*problems._CAUSES, "something odd", None)


@dataclass(frozen=True)
class Tick:
    """Time passes."""


@dataclass(frozen=True)
class SetNetwork:
    """This machine has other addresses, or other interfaces that carry nothing."""

    addresses: frozenset[str]
    lost: frozenset[str] = frozenset()

    @property
    def offline(self) -> bool:
        """Whether no interface is left."""
        return len(self.lost) > 1


@dataclass(frozen=True)
class SetPins:
    """Other keys are known."""

    pins: Mapping[str, str]


Step = Announcement | Withdrawal | Tick | SetNetwork | SetPins


def _endpoint(address: str, port: int, path: str, host: str | None = None) -> Endpoint:
    literal, _, zone = address.partition("%")
    return Endpoint(literal, port, path=path, host=host, interface=zone or INTERFACES.get(address))


FINDINGS = st.one_of(
    st.sampled_from(["comfyui", "wan2gp", "gradio", "ollama"]).flatmap(
        lambda kind: st.builds(
            Finding,
            st.sampled_from([Status.ONLINE, Status.BUSY, Status.STARTING, Status.LOCKED]),
            st.just(kind),
            st.just(KINDS[kind].family),
            st.sampled_from([None, "1.0"]),
            latency_ms=st.sampled_from([0.5, 2.0]),
        )
    ),
    st.builds(Finding, st.sampled_from([Status.ONLINE, Status.STARTING, Status.LOCKED, Status.BUSY])),
    st.builds(Finding, st.just(Status.UNREACHABLE), cause=st.sampled_from(CAUSES)),
)


@st.composite
def claims(draw: st.DrawFn, refs: tuple[str, ...] = ("a", "b", "c")) -> Announcement:
    """An mDNS instance or a manual entry."""
    source = draw(st.sampled_from([SourceName.MDNS, SourceName.MDNS, SourceName.MANUAL]))
    host = draw(st.sampled_from(HOSTS))
    port, path = draw(st.sampled_from(PORTS)), draw(st.sampled_from(["/", "/", "/base"]))
    addresses = draw(st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=3, unique=True))
    if source is SourceName.MANUAL:
        host = host or "box"
        addresses = RESOLVED.get(host, [a for a in addresses if draw(st.booleans())])
        name = None if host in ("localhost", "10.0.0.2") else host
        endpoints = tuple(_endpoint(a, port, path, name) for a in addresses)
        endpoints = endpoints or (_endpoint("", port, path, host),)
    else:
        endpoints = tuple(_endpoint(a, port, path) for a in addresses)
    proof, signer = draw(st.sampled_from(SIGNATURES)) if source is SourceName.MDNS else (Proof.UNSIGNED, None)
    return Announcement(
        source,
        draw(st.sampled_from(refs)),
        endpoints,
        kind=draw(st.sampled_from(CLAIMS)),
        id=draw(st.sampled_from(IDS)) if source is SourceName.MDNS else None,
        name=draw(st.sampled_from([None, "One", "two"])),
        host=host,
        version=draw(st.sampled_from([None, "0.9"])),
        proof=proof,
        signer=signer,
        unattended=source is SourceName.MDNS and draw(st.sampled_from([False, False, False, True])),
    )


@st.composite
def finds(draw: st.DrawFn) -> Announcement:
    """What the probe says, by itself or of a claim."""
    address, port = draw(st.sampled_from(ADDRESSES)), draw(st.sampled_from(PORTS))
    finding = draw(FINDINGS)
    if draw(st.booleans()):
        endpoint = _endpoint(address, port, "/")
        ref, host, standing = f"scan {address} {port}", draw(st.sampled_from(["localhost", "box"])), True
    else:
        unresolved = draw(st.booleans()) and draw(st.booleans())
        endpoint = _endpoint("" if unresolved else address, port, draw(st.sampled_from(["/", "/base"])), "box")
        ref, host, standing = check_ref(endpoint.key), None, False
    return Announcement(
        SourceName.PROBE, ref, (endpoint,), kind=finding.kind, host=host, finding=finding, standing=standing
    )


@st.composite
def histories(draw: st.DrawFn, max_size: int = 14, *, changes: bool = True) -> list[Step]:
    """Things that happen, one after the other; what is withdrawn was mostly said before.

    :param changes: time passes, the network changes, and other keys are known.
    """
    kinds = ["claim", "claim", "find", "find", "answer", "answer", "withdraw", "again", "lost"]
    steps: list[Step] = []
    for _ in range(draw(st.integers(1, max_size))):
        said = [step for step in steps if isinstance(step, Announcement)]
        what = draw(st.sampled_from([*kinds, "tick", "network", "pins"] if changes else kinds))
        if what == "claim":
            steps.append(draw(claims()))
        elif what == "find" or not said:
            steps.append(draw(finds()))
        elif what == "answer":
            endpoint = draw(st.sampled_from(draw(st.sampled_from(said)).endpoints))
            finding = draw(FINDINGS)
            ref = check_ref(endpoint.key)
            steps.append(
                Announcement(SourceName.PROBE, ref, (endpoint,), finding.kind, finding=finding, standing=False)
            )
        elif what == "withdraw":
            steps.append(Withdrawal(*draw(st.sampled_from(said)).key))
        elif what in ("again", "lost"):
            again = draw(st.sampled_from(said))
            lost = what == "lost" and again.source is SourceName.MDNS
            steps.append(replace(again, unattended=lost))
        elif what == "tick":
            steps.append(Tick())
        elif what == "network":
            steps.append(SetNetwork(draw(st.sampled_from(LOCAL_SETS)), draw(st.sampled_from(LOST_SETS))))
        else:
            steps.append(SetPins(draw(st.sampled_from(PIN_SETS))))
    return steps


def new_registry(pins: Mapping[str, str] = PINS) -> ServiceRegistry:
    """An empty registry of a machine with one address on the LAN. It knows who may speak for which id."""
    registry = ServiceRegistry(BUILTIN)
    registry.set_local(LOCAL_SETS[1], NOW)
    registry.set_pins(pins, NOW)
    return registry


def do(registry: ServiceRegistry, step: Step, now: float) -> Change:
    """Let ``step`` happen."""
    if isinstance(step, Tick):
        return registry.tick(now)
    if isinstance(step, SetNetwork):
        return registry.set_network(step.addresses, now, lost=step.lost, offline=step.offline)
    if isinstance(step, SetPins):
        return registry.set_pins(step.pins, now)
    return registry.apply(step, now)


def key_of(step: Step) -> EvidenceKey | str:
    """What a step is about: only steps about the same depend on their order."""
    return step.key if isinstance(step, Announcement | Withdrawal) else type(step).__name__


class Scratch:
    """The registry's meaning without its machinery: a set of evidence, all of it merged anew when asked."""

    def __init__(self, pins: Mapping[str, str] = PINS) -> None:
        self.world = World(KINDS, LOCAL_SETS[1], pins=pins)
        self.evidence: dict[EvidenceKey, Evidence] = {}

    def do(self, step: Step, now: float) -> None:
        """Let ``step`` happen."""
        if isinstance(step, Announcement):
            if not is_our_own_fault(step, self.world):
                self.evidence[step.key] = renew(self.evidence.get(step.key), step, now)
        elif isinstance(step, Withdrawal):
            self.evidence.pop(step.key, None)
        elif isinstance(step, SetPins):
            self.world = replace(self.world, pins=step.pins)
        elif isinstance(step, SetNetwork):
            self._set_network(step, now)
        else:
            self._age(now)
            for component in self.components():
                if not any(item.announcement.standing for item in component):
                    for item in component:
                        if now - item.at > ORPHAN_AFTER_S:
                            del self.evidence[item.announcement.key]
            claimed = (item.announcement for item in self.evidence.values())
            groups = groups_of(claimed, self._look_at, self.world)
            self.world = replace(self.world, doubted=doubted(groups, self.world))
        self._pin(now)

    def _look_at(self, key: EndpointKey) -> Evidence | None:
        return self.evidence.get((SourceName.PROBE, check_ref(key)))

    def services(self, now: float) -> tuple[tuple[Service, ...], tuple[str, ...]]:
        """Everything, in the order of snapshots, and the warnings."""
        services: list[Service] = []
        warnings: set[str] = set()
        for component in self.components():
            found, warned = services_of(component, self.world, now)
            services += found
            warnings.update(warned)
        return tuple(sorted(services, key=lambda s: (s.name.lower(), s.id))), tuple(sorted(warnings))

    def components(self) -> list[list[Evidence]]:
        """Evidence that is connected."""
        return partition(list(self.evidence.values()), lambda e: self.world.keys(e.announcement))

    def _set_network(self, step: SetNetwork, now: float) -> None:
        before = self.world
        world = replace(before, local=step.addresses, lost=step.lost, offline=step.offline)
        if world == before:
            return
        self._age(now)
        self.world = world
        for key, item in self.evidence.items():
            if any(before.cut_off(e) and not world.cut_off(e) for e in item.announcement.endpoints):
                self.evidence[key] = replace(item, life=item.life.again(now))

    def _age(self, now: float) -> None:
        for key, item in self.evidence.items():
            self.evidence[key] = replace(item, life=life_at(item, self.world, now))

    def _pin(self, now: float) -> None:
        for component in self.components():
            while fresh := new_pins(services_of(component, self.world, now)[0], component, self.world):
                self.world = replace(self.world, pins={**self.world.pins, **{pin.id: pin.key for pin in fresh}})


def interleaved(steps: Sequence[tuple[Step, float]], order: Sequence[int]) -> list[tuple[Step, float]]:
    """The same steps in another order; those about the same thing keep theirs."""
    queues: dict[EvidenceKey | str, list[tuple[Step, float]]] = defaultdict(list)
    for step, now in steps:
        queues[key_of(step)].append((step, now))
    return [queues[key_of(steps[index][0])].pop(0) for index in order]
