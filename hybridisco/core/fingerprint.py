"""Which request next, and what the replies prove.

No I/O happens here: :class:`Identification` says which requests it wants, the caller makes them (in any
order, several at once) and feeds the replies back, until nothing is wanted any more.

Theory of operation. Kinds are ranked: the claimed kind, kinds that usually use this port, the rest. The first
two form wave 0 and are asked alone, so that a backend at its usual place costs one or two requests; only if
none of them is there, the rest follow in wave 1. Each request is made at most once and every proof reads the
same replies. A program's proof beats a framework's (Wan2GP is also a Gradio app): once a framework is proven,
only wave 0 and programs whose proof is under way are pursued.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from hybridisco.core import problems, safe
from hybridisco.core.conditions import Reply, parse_json, values
from hybridisco.core.gradio import page
from hybridisco.core.kind import Fact, Kind, Proof, Step, Tier
from hybridisco.core.model import Finding, Properties, Status

_AT_ONCE = 6  # requests wanted in one go: enough to overlap, few enough for a single-threaded server
_GIVE_UP_AFTER = 2  # replies in a row that never came, before the others are not even tried
_ANSWERED = (200, 101)  # HTTP's OK, and Switching Protocols for a WebSocket's first frame
_INDEX = "/"
_HTML_TITLE = re.compile(r"<title[^<>]{0,100}>([^<]{1,200})", re.IGNORECASE)  # bounded: a page may be 1 MiB of "<title"


def read_json(reply: Reply) -> Reply:
    """Return ``reply`` with its body parsed, for callers that make replies from bytes."""
    return Reply(
        reply.request,
        reply.status,
        reply.headers,
        reply.body,
        reply.error,
        reply.elapsed_ms,
        parse_json(reply.body),
    )


@dataclass(slots=True)
class _Candidate:
    """A kind, and those of its proofs that have not failed."""

    kind: Kind
    proofs: list[Proof]


class Identification:
    """The identification of one endpoint.

    :param kinds: the kinds to tell apart, in their order of preference.
    :param port: the port, as a hint which kind is likely.
    :param claimed: the kind that somebody said is there, as a stronger hint.
    """

    def __init__(self, kinds: Sequence[Kind], port: int, claimed: str | None = None) -> None:
        expected = [kind for kind in kinds if kind.id == claimed]
        expected += [kind for kind in kinds if port in kind.ports and kind.id != claimed]
        self._expected = {kind.id for kind in expected}
        others = [kind for kind in kinds if kind.id != claimed and port not in kind.ports]
        self._waves = [[self._candidate(kind) for kind in wave] for wave in (expected, others) if wave]
        self._replies: dict[str, Reply] = {}
        self._lenses: dict[str, Reply] = {}
        self._judged: dict[int, bool] = {}
        self._held: dict[int, int] = {}
        self._unanswered = 0
        self._best: tuple[Kind, Proof] | None = None
        self._settled = True  # nothing was fed since the best was looked for

    def feed(self, reply: Reply) -> None:
        """Take the reply to a request (also one that failed: ``status`` 0)."""
        self._replies[reply.request] = reply
        self._settled = False
        self._unanswered = self._unanswered + 1 if reply.status == 0 else 0

    def wanted(self) -> tuple[str, ...]:
        """Return the requests to make now; empty when :meth:`finding` is final."""
        if self._unanswered >= _GIVE_UP_AFTER or (self._unanswered and len(self._replies) == 1):
            return ()
        proven = self._proven()
        if proven is not None and proven[0].tier == Tier.PROGRAM:
            return self._missing(self._asked(proven[0]))
        for wave in self._waves:
            needs = [
                self._next(one, under_way_only=proven is not None and one.kind.id not in self._expected) for one in wave
            ]
            missing = self._missing(request for request in needs if request)
            if missing:
                return missing
        return self._missing(self._asked(proven[0]) if proven else [_INDEX])

    def finding(self) -> Finding:
        """Return what the replies so far prove."""
        answers = [reply for reply in self._replies.values() if reply.status]
        latency_ms = min((r.elapsed_ms for r in answers if r.elapsed_ms is not None), default=None)
        if not answers:
            error = next((reply.error for reply in self._replies.values() if reply.error), None)
            return Finding(Status.UNREACHABLE, cause=error)
        proven = self._proven()
        if proven is None:
            status, cause = _unidentified(answers)
            return Finding(status, cause=cause, properties=self._page_title(), latency_ms=latency_ms)
        kind, proof = proven
        facts = self._facts(kind.facts)
        version = next((safe.text(str(v), safe.VERSION_LIMIT) for k, v in facts if k == "version"), None)
        properties = tuple((key, value) for key, value in facts if key != "version")
        return Finding(
            status=_identified_status(kind, proof, properties, answers),
            kind=kind.id,
            family=kind.family,
            version=version,
            capabilities=kind.capabilities,
            properties=properties,
            latency_ms=latency_ms,
        )

    def _missing(self, requests: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(r for r in requests if r not in self._replies))[:_AT_ONCE]

    def _asked(self, kind: Kind) -> Iterator[str]:
        """Yield the requests for facts of ``kind`` that are not known: one a name, the alternatives after."""
        settled = {name for name, _ in self._facts(kind.facts)}
        for fact in kind.facts:
            if fact.asked and fact.name not in settled and fact.request not in self._replies:
                settled.add(fact.name)
                yield fact.request

    def _candidate(self, kind: Kind) -> _Candidate:
        return _Candidate(kind, [p for p in kind.proofs if not p.expected_only or kind.id in self._expected])

    def _progress(self, proof: Proof) -> int | None:
        """Return how many steps hold, up to the first that was not asked yet; None once one failed."""
        held = self._held.get(id(proof), 0)
        for step in proof.steps[held:]:
            reply = self._look(step)
            if reply is None:
                break
            if not self._holds(step, reply):
                return None
            held += 1
        self._held[id(proof)] = held
        return held

    def _holds(self, step: Step, reply: Reply) -> bool:
        """Return whether a step holds. That is found out once: a search in a page may take a twentieth of a second."""
        if id(step) not in self._judged:  # two steps that read alike may differ in what they count
            self._judged[id(step)] = reply.status != 0 and all(condition.holds(reply) for condition in step.where)
        return self._judged[id(step)]

    def _look(self, step: Step | Fact) -> Reply | None:
        reply = self._replies.get(step.request)
        if reply is None or step.lens is None:
            return reply
        if step.request not in self._lenses:
            self._lenses[step.request] = Reply(
                reply.request, reply.status, reply.headers, reply.body, reply.error, data=page(reply)
            )
        return self._lenses[step.request]

    def _next(self, candidate: _Candidate, *, under_way_only: bool) -> str | None:
        """Return the request that decides next whether a kind is there; None when that is decided."""
        for proof in candidate.proofs:
            held = self._progress(proof)
            if held is None:
                continue
            if held == len(proof.steps) or (under_way_only and not held):
                return None
            return proof.steps[held].request
        return None

    def _proven(self) -> tuple[Kind, Proof] | None:
        """Return the best kind that is proven, and by what."""
        if not self._settled:
            self._best = self._look_for_the_best()
            self._settled = True
        return self._best

    def _look_for_the_best(self) -> tuple[Kind, Proof] | None:
        best: tuple[Kind, Proof] | None = None
        for candidate in chain.from_iterable(self._waves):
            if best is not None and candidate.kind.tier >= best[0].tier:
                continue
            held = [(proof, self._progress(proof)) for proof in candidate.proofs]
            candidate.proofs = [proof for proof, steps in held if steps is not None]  # what failed is done with
            whole = next((proof for proof, steps in held if steps == len(proof.steps)), None)
            if whole is not None:
                best = candidate.kind, whole
                if candidate.kind.tier == Tier.PROGRAM:
                    break  # there is nothing better
        return best

    def _facts(self, facts: Sequence[Fact]) -> Properties:
        """Return what can be read, the first value of each name."""
        read: dict[str, str | int | float | bool] = {}
        for fact in facts:
            reply = self._look(fact)
            if reply is None or reply.status not in _ANSWERED or fact.name in read:
                continue
            if not all(condition.holds(reply) for condition in fact.where):
                continue
            for value in values(reply.data, fact.pointer):
                washed = _wash(fact, value)
                if washed is not None:
                    read[fact.name] = washed
                    break
        return tuple(read.items())

    def _page_title(self) -> Properties:
        index = self._replies.get(_INDEX)
        found = _HTML_TITLE.search(index.body) if index else None
        title = safe.text(found.group(1)) if found else None
        return (("title", title),) if title else ()


def _wash(fact: Fact, value: object) -> str | int | float | bool | None:
    if fact.pattern is not None:
        found = re.search(fact.pattern, value) if isinstance(value, str) else None
        return safe.text(found.group(1)) if found else None
    if fact.scale is not None:
        number = safe.whole(value, 0, 2**60)
        return None if number is None else int(number * fact.scale)
    if isinstance(value, bool):
        return value
    return safe.whole(value, -(2**53), 2**53) if isinstance(value, int | float) else safe.text(value)


def _identified_status(kind: Kind, proof: Proof, facts: Properties, answers: Sequence[Reply]) -> Status:
    if proof.status is not Status.ONLINE:
        return proof.status
    queue = dict(facts).get("queue")
    full = kind.queue_limit is not None and isinstance(queue, int) and queue >= kind.queue_limit
    return Status.BUSY if full or any(reply.status == 429 for reply in answers) else Status.ONLINE


def _unidentified(answers: Sequence[Reply]) -> tuple[Status, str | None]:
    """Return what the HTTP statuses tell of a server that gave nothing else away, and what is wrong with it.

    One that fails on every path is not online, and it does not contradict what is claimed of it either. Of what we
    can say, "not ready yet" is the nearest to the truth: 502 and 504 come from a proxy whose backend is not up, 500
    from a program that loads or crashed. The cause lets the user be told of both.
    """
    codes = {reply.status for reply in answers}
    if 429 in codes:
        return Status.BUSY, None
    if 503 in codes:
        return Status.STARTING, None
    if all(code >= 500 for code in codes):
        return Status.STARTING, problems.server_error(min(codes))
    return (Status.LOCKED if codes & {401, 407} or codes == {403} else Status.ONLINE), None
