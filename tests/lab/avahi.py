"""A private Avahi inside a lab host: the responder that most Linux machines run.

    with Avahi(host, [StaticService("ComfyUI on a", "_hybridisco._tcp", 8188, txt=["txtvers=1"])]) as avahi:
        records = avahi.browse("_hybridisco._tcp")

The daemon sees its own ``/etc/avahi`` and ``/run/avahi-daemon`` (mounts of its own) and, with ``dbus=True``,
its own bus, which ``avahi-browse`` and ``avahi-publish`` need.
"""

from __future__ import annotations

import itertools
import re
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from xml.sax.saxutils import escape

from .host import Host
from .process import Process
from .wait import LabError

START_TIMEOUT_S = 10.0  # Avahi probes its host name, then each service: about 2 s together
BROWSE_TIMEOUT_S = 30.0  # avahi-browse ends by itself, after about 1 s of quiet

_PROGRAMS = ("avahi-daemon", "avahi-browse", "avahi-publish", "dbus-daemon")

# The mounts are private to this process and its children: `ip netns exec` unshared them.
_DAEMON_PROLOGUE = """\
mkdir -p /run/avahi-daemon &&
mount -t tmpfs tmpfs /run/avahi-daemon &&
mount --bind "$0" /etc/avahi &&
exec avahi-daemon --file=/etc/avahi/avahi-daemon.conf --no-drop-root --no-chroot --no-rlimits
"""

_BUS_CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/> <allow user="*"/> <allow send_destination="*"/> <allow receive_sender="*"/>
  </policy>
</busconfig>
"""


def avahi_available() -> str | None:
    """Why Avahi cannot run here, or None when it can."""
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: avahi-daemon, avahi-utils, dbus)"
    return None


@dataclass(frozen=True, slots=True)
class StaticService:
    """One file of ``/etc/avahi/services``; ``%h`` in the name stands for the host's name."""

    name: str
    type: str
    port: int
    subtypes: tuple[str, ...] = ()
    txt: Sequence[str] = ()
    protocol: str = "any"  # or "ipv4", "ipv6"

    def xml(self) -> str:
        """The file's text."""
        lines = [f"<subtype>{escape(each)}</subtype>" for each in self.subtypes]
        lines += [f"<port>{self.port}</port>"]
        lines += [f"<txt-record>{escape(each)}</txt-record>" for each in self.txt]
        return (
            '<?xml version="1.0" standalone="no"?>\n<!DOCTYPE service-group SYSTEM "avahi-service.dtd">\n'
            f'<service-group><name replace-wildcards="yes">{escape(self.name)}</name>\n'
            f'<service protocol="{self.protocol}"><type>{escape(self.type)}</type>\n'
            + "\n".join(lines)
            + "\n</service></service-group>\n"
        )


@dataclass(frozen=True, slots=True)
class Record:
    """One answer of ``avahi-browse``; the last four fields only when it was asked to resolve."""

    interface: str
    protocol: str  # "IPv4" or "IPv6": how it was heard
    name: str
    type: str
    domain: str
    host: str | None = None
    address: str | None = None
    port: int | None = None
    txt: tuple[str, ...] = ()


class Avahi:
    """An avahi-daemon in ``host``: a context manager, entered when every static service is established."""

    def __init__(
        self,
        host: Host,
        services: Sequence[StaticService] = (),
        *,
        dbus: bool = True,
        settings: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """``settings`` adds to avahi-daemon.conf: ``{"publish": {"publish-addresses": "no"}}``."""
        self.host = host
        self.daemon: Process
        self._bus: Process | None = None
        self._dbus = dbus
        self._settings = settings or {}
        self._directory = host.directory / "avahi"
        self._socket = self._directory / "bus"
        self._services = list(services)
        self._numbers = itertools.count(1)
        self._files: dict[str, Path] = {}
        self._established = 0

    def __enter__(self) -> Self:
        if reason := avahi_available():
            raise LabError(reason)
        shutil.rmtree(self._directory, ignore_errors=True)
        (self._directory / "etc" / "services").mkdir(parents=True)
        (self._directory / "etc" / "avahi-daemon.conf").write_text(self._config(), encoding="utf-8")
        for service in self._services:
            self._write(service)
        try:
            if self._dbus:
                self._start_bus()
            etc = str(self._directory / "etc")
            self.daemon = self.host.start(["sh", "-c", _DAEMON_PROLOGUE, etc], env=self._environment())
            self.daemon.wait_for_log("Server startup complete", START_TIMEOUT_S)
            self._await_established(len(self._services))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the daemon as a shutdown does, with goodbyes for its records; twice does no harm."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut does: no goodbye, the records stay in the others' caches."""
        self._end(signal.SIGKILL)

    def add(self, service: StaticService) -> None:
        """Put one more service file in place and wait until it is established."""
        self._write(service)
        self._await_established(1)

    def remove(self, name: str) -> None:
        """Take a service file away; the daemon notices by itself and says goodbye."""
        self._files.pop(name).unlink()

    def browse(self, service_type: str, *, resolve: bool = True) -> list[Record]:
        """What ``avahi-browse`` finds from this host, once an interface and a protocol."""
        flags = "-rptk" if resolve else "-ptk"
        argv = ["avahi-browse", flags, service_type]
        output = self.host.run(argv, timeout=BROWSE_TIMEOUT_S, env=self._environment()).stdout
        return parse_browse(output, resolve=resolve)

    @contextmanager
    def publish(
        self, name: str, service_type: str, port: int, txt: Sequence[str] = (), subtypes: Sequence[str] = ()
    ) -> Iterator[Process]:
        """Publish by ``avahi-publish`` for as long as the block runs; ``process.kill()`` ends it sooner."""
        options = [f"--subtype={each}" for each in subtypes]
        argv = ["avahi-publish", *options, "-s", name, service_type, str(port), *txt]
        process = self.host.start(argv, env=self._environment())
        try:
            process.wait_for_log("Established under name", START_TIMEOUT_S)
            yield process
        finally:
            process.stop()

    def _end(self, how: signal.Signals) -> None:
        if hasattr(self, "daemon"):
            self.daemon.stop(how)
        if self._bus is not None:
            self._bus.stop()

    def _config(self) -> str:
        sections: dict[str, dict[str, str]] = {
            "server": {
                "host-name": self.host.name,
                "use-ipv4": "yes",
                "use-ipv6": "yes",
                "enable-dbus": "yes" if self._dbus else "no",
            },
            "wide-area": {"enable-wide-area": "no"},
            "publish": {"publish-hinfo": "no", "publish-workstation": "no"},
        }
        for section, values in self._settings.items():
            sections.setdefault(section, {}).update(values)
        lines: list[str] = []
        for section, values in sections.items():
            lines += [f"[{section}]", *(f"{key}={value}" for key, value in values.items()), ""]
        return "\n".join(lines)

    def _environment(self) -> dict[str, str]:
        return {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self._socket}"}

    def _start_bus(self) -> None:
        config = self._directory / "bus.conf"
        config.write_text(_BUS_CONFIG.format(socket=self._socket), encoding="utf-8")
        argv = ["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", "--print-address=1"]
        self._bus = self.host.start(argv)
        self._bus.wait_for_log("unix:path=", START_TIMEOUT_S)  # printed once it listens

    def _write(self, service: StaticService) -> None:
        """Appear in one step: the daemon watches the folder and must not read half a file."""
        path = self._directory / "etc" / "services" / f"{next(self._numbers)}.service"
        draft = self._directory / "draft"
        draft.write_text(service.xml(), encoding="utf-8")
        draft.rename(path)
        self._files[service.name] = path

    def _await_established(self, more: int) -> None:
        self._established += more
        self.daemon.wait_for_log("successfully established", START_TIMEOUT_S, count=self._established)


def parse_browse(output: str, *, resolve: bool) -> list[Record]:
    """The records in the output of ``avahi-browse -p``: ``=`` lines when resolved, ``+`` lines when not."""
    mark = "=" if resolve else "+"
    return [_parse_line(line) for line in output.splitlines() if line.startswith(f"{mark};")]


def _parse_line(line: str) -> Record:
    _, interface, protocol, name, kind, domain, *rest = line.split(";", 9)
    seen = Record(interface, protocol, _unescape(name), kind, domain)
    if not rest:
        return seen
    host, address, port, txt = rest
    strings = tuple(_unescape(each) for each in re.findall(r'"((?:[^"\\]|\\.)*)"', txt))
    return Record(interface, protocol, seen.name, kind, domain, _unescape(host), address, int(port), strings)


def _unescape(text: str) -> str:
    r"""Undo ``\032`` (a decimal byte) and ``\.`` (the character itself)."""
    raw = text.encode()
    plain = re.sub(rb"\\(\d{3}|.)", lambda m: bytes([int(m[1])]) if m[1].isdigit() else m[1], raw)
    return plain.decode(errors="replace")
