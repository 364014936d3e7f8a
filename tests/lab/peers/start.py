"""Start a real peer, wait until its port accepts, and end it with all its children.

    with start_peer("wangp", port=7860) as peer:
        urlopen(f"{peer.url}/config")

``PEERS`` lists them; their environments are made by ``setup.py`` beside this file.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..host import Host
from ..netns import owned_prefix
from ..process import Process
from ..require import require
from ..wait import LabError, wait_until
from . import setup

MASTER_KEY = "sk-9f8e7d6c5b4a39281706f5e4d3c2b1a0"  # LiteLLM refuses to start with a weak one
LOGIN = "artist:Correct-Horse-7"

_APPS = Path(__file__).resolve().parent / "apps"
_CONNECT_S = 1.0

# Byte code is kept whatever the machine prefers: it halves every later start.
_VARIABLES = {**setup.OFFLINE, "PYTHONDONTWRITEBYTECODE": "", "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True, slots=True)
class PeerKind:
    """How one peer is started."""

    environment: str  # one of setup.ENVIRONMENTS
    app: str = ""  # a file of apps/, for Gradio
    variables: dict[str, str] = field(default_factory=dict)
    timeout_s: float = 60.0  # a bound: 4 s when nothing else runs

    def command(self, host: str, port: int) -> list[str]:
        if self.app:
            return [str(setup.program(self.environment)), str(_APPS / self.app), host, str(port)]
        config = str(_APPS / "litellm.yaml")
        proxy = str(setup.program(self.environment, "litellm"))
        return [proxy, "--config", config, "--host", host, "--port", str(port)]


PEERS = {
    "wangp": PeerKind("gradio5", "wangp.py"),
    "wangp-login": PeerKind("gradio5", "wangp.py", {"PEER_LOGIN": LOGIN}),
    "gradio5": PeerKind("gradio5", "plain.py"),
    "rvc": PeerKind("gradio3", "rvc.py"),
    "audioldm": PeerKind("gradio3", "audioldm.py"),
    "gradio3": PeerKind("gradio3", "plain.py"),
    "litellm": PeerKind("litellm", variables={"LITELLM_MASTER_KEY": MASTER_KEY}, timeout_s=120.0),
}


@dataclass(frozen=True, slots=True)
class RunningPeer:
    """A peer, its process, and where it listens."""

    name: str
    host: str
    port: int
    process: Process
    netns_host: Host | None = None

    @property
    def url(self) -> str:
        """Its base URL as seen from its own host."""
        address = _reachable(self.host)
        return f"http://[{address}]:{self.port}" if ":" in address else f"http://{address}:{self.port}"


@contextmanager
def start_peer(
    name: str, *, port: int | None = None, host: str = "127.0.0.1", netns_host: Host | None = None
) -> Iterator[RunningPeer]:
    """Run peer ``name`` (a key of ``PEERS``) at ``host``:``port``, in a lab host when one is given.

    Without a port a free one is taken. Where the peer's environment was not made the test is skipped; in CI
    it fails. A peer that does not come up raises ``LabError`` with its log.
    """
    with _launched(name, port, host, netns_host) as peer:
        _await_port(peer)
        yield peer


@contextmanager
def start_peers(*names: str) -> Iterator[dict[str, RunningPeer]]:
    """Run several peers on loopback, at free ports: they load at the same time."""
    with ExitStack() as stack:
        peers = {name: stack.enter_context(_launched(name, None, "127.0.0.1", None)) for name in names}
        for peer in peers.values():
            _await_port(peer)
        yield peers


@contextmanager
def _launched(name: str, port: int | None, host: str, netns_host: Host | None) -> Iterator[RunningPeer]:
    """A peer that was started; its port may not accept yet."""
    kind = PEERS[name]
    ready = setup.is_ready(kind.environment)
    require(None if ready else f"run: python tests/lab/peers/setup.py {kind.environment}")
    port = _free_port(host, netns_host) if port is None else port
    if _accepts(host, port, netns_host):
        raise LabError(f"something else already listens at {host}:{port}")
    with tempfile.TemporaryDirectory(prefix=owned_prefix(), ignore_cleanup_errors=True) as folder:
        process = _start(name, kind.command(host, port), kind.variables, Path(folder), netns_host)
        try:
            yield RunningPeer(name, host, port, process, netns_host)
        finally:
            process.stop()


def _start(name: str, argv: list[str], variables: dict[str, str], folder: Path, netns_host: Host | None) -> Process:
    """Start it in a folder of its own: Gradio writes into the current one."""
    log = folder / f"{name}.log"
    variables = {**_VARIABLES, "GRADIO_TEMP_DIR": str(folder), **variables}
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": folder}
    with log.open("w", encoding="utf-8") as output:
        if netns_host is not None:
            return Process(netns_host.popen(argv, env=variables, stdout=output, **options), log)
        env = {**os.environ, **variables}
        popen = subprocess.Popen(argv, env=env, text=True, start_new_session=True, stdout=output, **options)
        return Process(popen, log)


def _await_port(peer: RunningPeer) -> None:
    process = peer.process

    def accepts() -> bool:
        if not process.running:
            raise LabError(f"{process} ended with {process.popen.returncode}")
        return _accepts(peer.host, peer.port, peer.netns_host)

    try:
        wait_until(accepts, PEERS[peer.name].timeout_s, f"{process} accepts at {peer.host}:{peer.port}")
    except LabError as error:
        raise LabError(f"{error}\n{process.log}") from None


def _accepts(host: str, port: int, netns_host: Host | None) -> bool:
    with _socket(host, netns_host) as connection:
        connection.settimeout(_CONNECT_S)
        return connection.connect_ex((_reachable(host), port)) == 0


def _free_port(host: str, netns_host: Host | None) -> int:
    with _socket(host, netns_host) as listener:
        listener.bind((host, 0))
        return int(listener.getsockname()[1])


def _socket(host: str, netns_host: Host | None) -> socket.socket:
    """A TCP socket that belongs to the network of the peer, whichever that is."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with nullcontext() if netns_host is None else netns_host.entered():
        return socket.socket(family, socket.SOCK_STREAM)


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
