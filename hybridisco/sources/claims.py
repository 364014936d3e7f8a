"""What the table amounts to: announcements, each with what its signature is worth, emitted when they are news.

Whoever has the key of an announcement keeps it: what comes under the same name with another key, or with none, stands
beside it under a ref of its own, and goes when nobody repeats it. Which of them may speak is judged later
(:mod:`hybridisco.core.trust`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from hybridisco.core import safe, trust
from hybridisco.core.model import Announcement, Proof, SourceName, Withdrawal
from hybridisco.sources.hosts import DOUBT_S
from hybridisco.sources.instance import announcement
from hybridisco.sources.interfaces import Interface
from hybridisco.sources.presence import Presence
from hybridisco.sources.reach import Reach
from hybridisco.sources.table import INSTANCE_LIMIT, Instance, Table, pairs

log = logging.getLogger(__name__)

REPEAT_S = 1.0  # responders announce themselves up to eight times, at least a second apart (RFC 6762 section 8.3)
ASK_EVERY_S = 2.0  # while two stand under one name
_REFS = 8  # announcements with different keys that stand under one name
_CHECKS_AT_ONCE, _CHECKS_A_SECOND = 1200.0, 50.0  # signatures; without a fast library one takes 3 ms

Emit = Callable[[Announcement | Withdrawal], None]
_Told = tuple[str, int | None, bytes, frozenset[tuple[str, str]]]
_Asked = tuple[bytes | None, int | None, tuple[str, ...]]
_Owner = tuple[bytes, str]  # an id, and the key that it was signed with


@dataclass(slots=True)
class _Said:
    """What was announced under one instance name with one key, and when."""

    announcement: Announcement
    emitted_at: float
    heard_at: float


class _Resolved(NamedTuple):
    """What an instance said when it was last resolved, when that was, and the ref of what came of it."""

    told: _Told
    at: float
    ref: str


class Claims:
    """Announcements that stand.

    :param kinds: the kind that each service type stands for, if it stands for one.
    :param verify: checks a signature.
    :param emit: takes announcements and withdrawals.
    :param doubt: told the key of an instance which somebody else announces too: it is worth a question.
    """

    def __init__(
        self,
        table: Table,
        kinds: Mapping[str, str | None],
        verify: trust.Verify,
        emit: Emit,
        doubt: Callable[[str], None],
    ) -> None:
        self._table = table
        self._kinds = kinds
        self._verify = verify
        self._emit = emit
        self._doubt = doubt
        self._said: dict[str, dict[str, _Said]] = {}
        self._resolved: dict[str, _Resolved] = {}
        self._worth: dict[str, tuple[_Asked, trust.Signed, _Owner]] = {}
        self._newest: dict[_Owner, int] = {}
        self._allowance = (_CHECKS_AT_ONCE, 0.0)
        self.presence = Presence(self._note_attended)
        self._reach = Reach()
        self.gateways: frozenset[str] = frozenset()
        self.missing: dict[str, int] = {}
        """Keys of instances of which something is not known yet, and how often it was asked for."""
        self.dropped = 0
        """Instances and TXT values that were dropped because they cannot be right."""

    def resolve(self, key: str, now: float, *, announced: bool) -> None:
        """Announce an instance if all of it is known, else note that something is missing.

        :param announced: it was said anew, so that it is worth a look even if nothing has changed.
        """
        instance = self._table.get(key)
        if instance is None or instance.leaving_at is not None:
            return
        places = [] if instance.bare else self._table.addresses(instance)
        if instance.server is None or instance.text is None or not places:
            self.missing.setdefault(key, 0)
            return
        self.missing.pop(key, None)
        told = (instance.server, instance.port, instance.text, frozenset(places))
        if self._is_no_news(key, told, now, announced=announced):
            return
        text, dialable = pairs(instance.text), self._reach(places)
        worth = self._worth_of(instance, text, tuple([address for address, _ in dialable]), now)
        if worth is None:
            self.drop("%s: too many signatures to check", safe.text(instance.name))
            return
        kind = self._kinds.get(instance.type)
        said, dropped = announcement(instance, text, dialable, kind, worth, self.gateways)
        if key not in self._said:
            self.dropped += dropped
        if said is not None:
            ref = self._say(key, said, now, announced=announced)
            self._resolved[key] = _Resolved(told, now, ref)
        elif key not in self._said:
            self.drop("%s names no address or port that can be used", safe.text(instance.name))

    def set_network(self, interfaces: tuple[Interface, ...], gateways: frozenset[str]) -> None:
        """Judge by another network from now on; what stands is to be resolved again."""
        self._reach, self.gateways = Reach(interfaces), gateways
        self._resolved.clear()

    def _is_no_news(self, key: str, told: _Told, now: float, *, announced: bool) -> bool:
        """Whether an instance says just what it said a moment ago: answers come by several ways, and several times."""
        before = self._resolved.get(key)
        if before is None or before.told != told or (announced and now - before.at >= REPEAT_S):
            return False
        one = self._said.get(key, {}).get(before.ref)
        if one is None or one.announcement.unattended:
            return False
        if announced:
            one.heard_at = now
        return True

    def withdraw(self, key: str) -> None:
        """Take back all that is announced under a name."""
        self._take_back(key, list(self._said.get(key, {})))
        self.missing.pop(key, None)
        self._worth.pop(key, None)
        self._resolved.pop(key, None)

    def age(self, now: float) -> None:
        """Take back what stands beside something newer of the same name, and was not repeated."""
        for key, known in list(self._said.items()):
            if len(known) > 1:
                if any(now - one.heard_at > ASK_EVERY_S for one in known.values()):
                    self._doubt(key)
                newest = max(one.heard_at for one in known.values())
                old = [ref for ref, one in known.items() if one.heard_at < newest and now - one.heard_at > DOUBT_S]
                self._take_back(key, old)

    def drop(self, why: str, *args: object) -> None:
        """Count something that cannot be right, and say the first."""
        self.dropped += 1
        log.log(logging.WARNING if self.dropped == 1 else logging.DEBUG, "Announcement dropped: " + why, *args)

    def _worth_of(
        self, instance: Instance, told: trust.Pairs, addresses: tuple[str, ...], now: float
    ) -> trust.Signed | None:
        """Return what the signature of an instance is worth; None if too many are to be checked.

        Of one key and id an older one than was seen before is out of date: somebody says again what was true once.
        """
        asked = (instance.text, instance.port, addresses)
        known = self._worth.get(instance.key)
        if known is not None and known[0] == asked and self._still_holds(*known[1:]):
            return known[1]
        if b"sig" in told and not self._may_check(now):
            return None
        found = trust.signature_of(told, instance.port or 0, addresses, time.time(), self._verify)
        owner = (told.get(b"id") or b"", found.key or "")
        before = self._newest.get(owner, 0)
        if found.proof is Proof.SIGNED and found.at < before:
            found = replace(found, proof=Proof.OUTDATED)
        self._worth[instance.key] = (asked, found, owner)
        if found.proof is Proof.SIGNED and found.at > before:
            self._note_newest(owner, found.at)
            for key, (_, other, whose) in list(self._worth.items()):
                if whose == owner and other.at < found.at and key != instance.key:
                    self._resolved.pop(key, None)
                    self.resolve(key, now, announced=False)  # what was said under another name is out of date now
        return found

    def _still_holds(self, found: trust.Signed, owner: _Owner) -> bool:
        if found.proof is not Proof.SIGNED:
            return found.proof is not Proof.OUTDATED
        return abs(time.time() - found.at) < trust.VALID_S and found.at >= self._newest.get(owner, 0)

    def _note_newest(self, owner: _Owner, at: int) -> None:
        self._newest[owner] = at
        if len(self._newest) > 4 * INSTANCE_LIMIT:  # those that nothing stands of go first
            standing = {whose for _, _, whose in self._worth.values()}
            gone = next((each for each in self._newest if each not in standing), owner)
            del self._newest[gone]

    def _may_check(self, now: float) -> bool:
        tokens, at = self._allowance
        tokens = min(_CHECKS_AT_ONCE, tokens + (now - at) * _CHECKS_A_SECOND)
        self._allowance = (tokens - 1.0 if tokens >= 1.0 else tokens, now)
        return tokens >= 1.0

    def _say(self, key: str, said: Announcement, now: float, *, announced: bool) -> str:
        """Emit an announcement, if it is news, or was said anew and not just now; returns its ref."""
        if said.proof is not Proof.UNSIGNED:
            said = replace(said, ref="\n".join((key, said.proof, said.signer or "")))
        known = self._said.setdefault(key, {})
        before = known.get(said.ref)
        if not known and log.isEnabledFor(logging.INFO):
            log.info("mDNS: %s announces %s at %s", said.name, said.kind, ", ".join(e.url for e in said.endpoints))
        if before is None and known:
            self._doubt(key)
            if len(known) >= _REFS:
                return said.ref  # one name with ever new keys
        watched = self.presence.follow(said.ref, said.endpoints, said.live, anew=announced)
        lost = before is not None and before.announcement.unattended and not announced
        if watched or lost:
            said = replace(said, watched=watched, unattended=lost)
        if before is not None:
            if announced:
                before.heard_at = now
            if said == before.announcement and not (announced and now - before.emitted_at >= REPEAT_S):
                return said.ref
        known[said.ref] = _Said(said, now, now)
        self._emit(said)
        return said.ref

    def _note_attended(self, ref: str, attended: bool | None) -> None:
        """Whoever announced it is there, or is gone, and with him all that he says, unless he says goodbye himself."""
        key = ref.partition("\n")[0]
        known, instance = self._said.get(key, {}).get(ref), self._table.get(key)
        if known is None or instance is None or instance.leaving_at is not None:
            return
        known.announcement = replace(known.announcement, watched=attended is True, unattended=attended is False)
        self._emit(known.announcement)

    def _take_back(self, key: str, refs: list[str]) -> None:
        known = self._said.get(key, {})
        for ref in refs:
            del known[ref]
            self.presence.leave(ref)
            self._emit(Withdrawal(SourceName.MDNS, ref))
        if not known:
            self._said.pop(key, None)
