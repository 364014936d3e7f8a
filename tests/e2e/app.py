"""Running ``hybridisco`` in a lab host, and reading what it says."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.lab.net import Host
from tests.lab.process import Process
from tests.lab.wait import LabError, wait_until

START_LIMIT_S = 15.0  # Python, its imports and the first answers, on a machine that does other things too
Json = dict[str, Any]


def command(*arguments: str) -> list[str]:
    """The command line of the installed program."""
    return [str(Path(sys.executable).with_name("hybridisco")), *arguments]


def listed(host: Host, *arguments: str, env: Mapping[str, str] | None = None) -> Json:
    """What ``hybridisco list --json`` prints."""
    done = host.run(command("list", "--json", *arguments), env=env, check=False)
    if done.returncode not in (0, 1):
        raise LabError(f"list ended with {done.returncode}: {done.stderr}")
    return dict(json.loads(done.stdout))


def announce(host: Host, kind: str, port: int, *arguments: str, env: Mapping[str, str] | None = None) -> Process:
    """Start a sidecar; it has not announced anything yet."""
    return host.start(command("announce", kind, "--port", str(port), *arguments), env=env)


def announced(host: Host, kind: str, port: int, *arguments: str, env: Mapping[str, str] | None = None) -> Process:
    """Start a sidecar, and wait until its backend is announced."""
    process = announce(host, kind, port, *arguments, env=env)
    process.wait_for_log("Announced: ", START_LIMIT_S)
    return process


class Watch:
    """A running ``hybridisco watch --json``, and the list that its events amount to."""

    def __init__(self, host: Host, *arguments: str) -> None:
        self.process = host.start(command("watch", "--json", *arguments))

    @property
    def events(self) -> list[tuple[str, Json]]:
        """Every event so far, in order."""
        lines = self.process.log.splitlines(keepends=True)
        found = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]
        return [(event["event"], event["service"]) for event in found]

    @property
    def services(self) -> list[Json]:
        """What is there now."""
        now: dict[str, Json] = {}
        for event, service in self.events:
            if event == "removed":
                now.pop(service["id"], None)
            else:
                now[service["id"]] = service
        return list(now.values())

    def until(self, wanted: Callable[[list[Json]], bool], limit_s: float, what: str) -> list[Json]:
        """Wait until the services are as ``wanted``; return them."""

        def seen() -> list[Json] | None:
            if not self.process.running:
                raise LabError(f"watch ended:\n{self.process.log}")
            now = self.services
            return [{"services": now}] if wanted(now) else None

        try:
            return wait_until(seen, limit_s, what)[0]["services"]  # type: ignore[index, no-any-return]
        except LabError as error:
            raise LabError(f"{error}\n{self.process.log}") from None

    def until_online(self, count: int = 1, limit_s: float = START_LIMIT_S) -> list[Json]:
        """Wait until so many services are there, all online."""
        return self.until(
            lambda now: len(now) == count and all(one["status"] == "online" for one in now),
            limit_s,
            f"{count} services online",
        )

    def until_gone(self, limit_s: float) -> None:
        """Wait until nothing is there any more."""
        self.until(lambda now: not now, limit_s, "every service is gone")
