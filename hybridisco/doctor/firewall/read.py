"""Asks the firewall tools of this machine for their rules. They change nothing, and each has 2 s."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from contextlib import suppress

from hybridisco.doctor.facts import RuleSet

_LIMIT_S = 2.0
_TEXT_LIMIT = 2 * 1024 * 1024  # octets; a machine with many containers has some thousand rules
_SBIN = ("/usr/sbin", "/sbin", "/usr/local/sbin")  # not in the PATH of a plain user

TOOLS: dict[str, tuple[str, ...]] = {
    "nft": ("nft", "list", "ruleset"),
    "iptables": ("iptables-save",),
    "ip6tables": ("ip6tables-save",),
    "ufw": ("ufw", "status", "verbose"),
    "firewalld": ("firewall-cmd", "--list-all"),
}
_MAC_TOOLS = {"socketfilterfw": ("/usr/libexec/ApplicationFirewall/socketfilterfw", "--getglobalstate")}


async def gather() -> tuple[RuleSet, ...]:
    """Return what each tool that is installed says."""
    tools = TOOLS if sys.platform == "linux" else _MAC_TOOLS if sys.platform == "darwin" else {}
    return tuple(await asyncio.gather(*(_ask(tool, argv) for tool, argv in tools.items() if _where(argv[0]))))


def _where(program: str) -> str | None:
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), *_SBIN]))


async def _ask(tool: str, argv: tuple[str, ...]) -> RuleSet:
    program = _where(argv[0]) or argv[0]
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *argv[1:],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
            start_new_session=True,
        )
    except OSError as error:
        return RuleSet(tool, error=error.strerror or str(error))
    assert process.stdout is not None and process.stderr is not None
    try:
        async with asyncio.timeout(_LIMIT_S):
            out, err = await asyncio.gather(_read(process.stdout), _read(process.stderr))
            if len(out) > _TEXT_LIMIT:
                return RuleSet(tool, error="it says more than any rule set has")
            status = await process.wait()
    except TimeoutError:
        return RuleSet(tool, error=f"no answer within {_LIMIT_S:.0f} s")
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # with what it has started: that may hold its pipes open
        process._transport.close()  # type: ignore[attr-defined]  # nobody waits for a pipe that stays open
    if status:
        words = (err or out).decode(errors="replace").split("\n")[0].strip()
        return RuleSet(tool, error=words[:200] or f"it ended with {status}")
    return RuleSet(tool, out.decode(errors="replace"))


async def _read(stream: asyncio.StreamReader) -> bytes:
    """Return what a tool says, up to just above the limit."""
    parts = bytearray()
    while len(parts) <= _TEXT_LIMIT and (part := await stream.read(65536)):
        parts += part
    return bytes(parts)
