"""What a user types to say where a service is, as data: ``gpu-box``, ``10.0.0.5:8188``, ``https://host/base``.

Strict on purpose: what could be read in two ways, and what carries a secret, is refused with a message that
says how to write it. Every address, port and URL that a person gives us comes through here.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from hybridisco.core import safe
from hybridisco.core.errors import UsageError
from hybridisco.core.model import Endpoint

_LENGTH_LIMIT = 1024  # characters; a host name has 253, a base path 100
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_ZONE = re.compile(r"[A-Za-z0-9._~-]{1,32}")  # an interface's name or index
_PORT = re.compile(r"[0-9]{1,5}")
_PORTS = re.compile(r"\s*([0-9]{1,5})\s*(?:-\s*([0-9]{1,5})\s*)?")
# A last label like this makes the whole an IPv4 address to many resolvers (10.1, 0x7f.1): never a name.
_NUMERIC_LABEL = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_STANDARD_PORT = {"http": 80, "https": 443}
#: How a place is written.
FORMS = "Write a host with its port (gpu-box:8188), an address (10.0.0.5, [fe80::1%eth0]:8188) or a URL."


@dataclass(frozen=True, slots=True)
class Target:
    """A place that the user named.

    ``host`` is a name (lower case, ASCII) or an address literal in canonical form. ``port`` is None where
    only a host was given; a URL without a port has its scheme's. ``path`` has no trailing slash, except that
    the root is ``/``. ``zone`` is the interface of a link-local IPv6 address (RFC 4007), if it was said.
    """

    host: str
    port: int | None = None
    tls: bool = False
    path: str = "/"
    zone: str | None = None

    @property
    def is_address(self) -> bool:
        """Whether ``host`` is an address rather than a name."""
        return _is_address(self.host)

    def endpoint(self, address: str = "") -> Endpoint:
        """Return the target as an endpoint, at ``address`` if its name was resolved.

        :raises UsageError: the target has no port.
        """
        if self.port is None:
            raise UsageError(f"{self} names no port. Write it with the port that the service listens on: {self}:8188.")
        own = self.host if self.is_address else ""
        return Endpoint(
            address=address or own,
            port=self.port,
            tls=self.tls,
            path=self.path,
            host=None if own else self.host,
            interface=self.zone,
        )

    @property
    def url(self) -> str:
        """The base URL. :raises UsageError: the target has no port."""
        return self.endpoint().url

    def __str__(self) -> str:
        """Return what :func:`parse` reads as this same target."""
        if self.port is not None:
            return self.endpoint().url
        host, path = self.host, self.path.rstrip("/")
        if self.zone:
            host += f"%{'25' if self.zone.startswith('25') else ''}{self.zone}"  # which would be taken for an escaped %
        return (f"[{host}]" if ":" in host and (path or "%25" in host) else host) + path


def parse(text: str) -> Target:
    """Return what ``text`` names.

    :raises UsageError: it names nothing, or something that we do not speak to.

    >>> parse("http://gpu-box:8188/base/")
    Target(host='gpu-box', port=8188, tls=False, path='/base', zone=None)
    >>> parse("[fe80::1%25eth0]:8188").zone
    'eth0'
    """
    text = text.strip(" \t\r\n")
    _refuse_unsafe(text)
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else None
    if scheme is not None and scheme not in _STANDARD_PORT:
        raise _wrong(text, f"{scheme}:// is not a way to reach a backend. Use http:// or https://.")
    rest = text[match.end() :] if match else text
    authority, slash, tail = rest.partition("/")
    host, zone, port = _authority(text, authority, has_scheme=scheme is not None)
    path = safe.path((slash + tail).rstrip("/") or "/")
    if path is None:
        raise _wrong(
            text,
            f"its path is not a plain one. A base path has at most {safe.PATH_LIMIT} characters, no empty parts and no "
            "'..', such as /comfyui.",
        )
    if port is None and scheme is not None:
        port = _STANDARD_PORT[scheme]
    return Target(host, port, scheme == "https", path, zone)


def parse_ports(text: str) -> tuple[int, int]:
    """Return the first and the last port of ``8000-8200`` or ``8188``.

    :raises UsageError: not a port or range of ports.
    """
    match = _PORTS.fullmatch(text)
    if match is None:
        raise UsageError(f"{_shown(text)} is not a range of ports. Write 8000-8200, or one port: 8188.")
    low, high = int(match[1]), int(match[2] or match[1])
    if not 1 <= low <= high <= 65535:
        reason = "it ends before it begins" if low > high else "ports go from 1 to 65535"
        raise UsageError(f"{_shown(text)} is not a range of ports: {reason}. Write, for example, 8000-8200.")
    return low, high


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _shown(text: str) -> str:
    """Return ``text`` for a message: short, escaped, and never with what may be a secret in it."""
    if "@" in text or "?" in text or "#" in text:
        return "The address"
    return repr(text if len(text) <= 60 else text[:59] + "…")


def _wrong(text: str, reason: str) -> UsageError:
    return UsageError(f"{_shown(text)} cannot be used: {reason}")


def _refuse_unsafe(text: str) -> None:
    """Refuse what no part of a target may contain."""
    if not text:
        raise UsageError(f"No address was given. {FORMS}")
    if len(text) > _LENGTH_LIMIT:
        raise _wrong(text, f"it has more than {_LENGTH_LIMIT} characters. {FORMS}")
    if any(char.isspace() or unicodedata.category(char)[0] == "C" for char in text):
        raise _wrong(text, f"it has a space or an invisible character in it, probably from copying. {FORMS}")
    if "@" in text.partition("://")[2].partition("/")[0] or "@" in text.partition("/")[0]:
        raise _wrong(
            text,
            "it has a user name or a password in it. Hybridisco stores and sends none: leave out what stands before "
            "the @, and give the key to the program that uses the service.",
        )
    if "?" in text or "#" in text:
        raise _wrong(text, "it has a query or a fragment (? or #). Leave that away: only the base URL is needed.")
    if "\\" in text:
        raise _wrong(text, "it has a backslash in it. URLs are written with /.")


def _authority(text: str, authority: str, *, has_scheme: bool) -> tuple[str, str | None, int | None]:
    """Return host, zone and port of ``host[:port]``, ``[address]:port`` or a bare IPv6 address."""
    if authority.startswith("["):
        inner, closed, after = authority[1:].partition("]")
        if not closed or (after and not after.startswith(":")):
            raise _wrong(text, "its brackets are not complete. Write an IPv6 address as [fe80::1%eth0]:8188.")
        host, zone = _ipv6(text, inner, bracketed=True)
        return host, zone, _port(text, after[1:]) if after else None
    if authority.count(":") > 1:
        if has_scheme:
            raise _wrong(text, "an IPv6 address stands in brackets in a URL: http://[fe80::1%25eth0]:8188.")
        host, zone = _ipv6(text, authority, bracketed=False)
        return host, zone, None
    name, colon, port = authority.partition(":")
    return _name(text, name), None, _port(text, port) if colon else None


def _port(text: str, digits: str) -> int:
    if not _PORT.fullmatch(digits) or not 1 <= int(digits) <= 65535:
        raise _wrong(text, "the part after the last colon is not a port. Ports go from 1 to 65535, as in gpu-box:8188.")
    return int(digits)


def _ipv6(text: str, literal: str, *, bracketed: bool) -> tuple[str, str | None]:
    """Return the address in canonical form and its zone.

    In brackets a zone is written ``%25eth0`` (RFC 6874) or, by nearly everybody, ``%eth0``.
    """
    literal, percent, zone = literal.partition("%")
    if zone.startswith("25") and len(zone) > 2 and (bracketed or not zone[2].isdigit()):
        zone = zone[2:]
    try:
        address = IPv6Address(literal)
    except ValueError:
        raise _wrong(
            text, "it is not an IPv6 address. With a port it is written [::1]:8188, without one ::1."
        ) from None
    if percent and not address.is_link_local:
        raise _wrong(
            text, f"only a link-local address (fe80::…) has a zone. Leave away the part from the % on: {address}."
        )
    if percent and not _ZONE.fullmatch(zone):
        raise _wrong(text, "after the % stands the name of a network interface, as in fe80::1%eth0.")
    _refuse_undialable(text, address.is_unspecified, address.is_multicast)
    return str(address), zone or None


def _name(text: str, name: str) -> str:
    """Return a host name (IDNA-encoded where it is not ASCII) or IPv4 address in canonical form."""
    if not name.isascii():
        name = _idna(text, name)
    if _NUMERIC_LABEL.fullmatch(name.rstrip(".").rpartition(".")[2]):
        try:
            address = ip_address(name)
        except ValueError:
            raise _wrong(
                text, "it is not a complete IPv4 address. One has four numbers from 0 to 255: 10.0.0.5."
            ) from None
        _refuse_undialable(text, address.is_unspecified, address.is_multicast)
        return str(address)
    host = safe.host(name)
    if not host:
        raise _wrong(text, f"it has no valid host name. {FORMS}")
    return host


def _refuse_undialable(text: str, unspecified: bool, multicast: bool) -> None:
    if unspecified:
        raise _wrong(
            text,
            "a server prints this address to say that it listens on every network. Use localhost on the same machine, "
            "or the machine's name or address from another one.",
        )
    if multicast:
        raise _wrong(text, "it is a multicast address, which no single service has. Use the machine's name or address.")


def _idna(text: str, name: str) -> str:
    """Return the ASCII form of an international name, unless encoding would change what it means.

    The standard library knows IDNA 2003, which turns ``faß.de`` into ``fass.de``: another machine.
    """
    try:
        encoded = name.lower().encode("idna")
        if encoded.decode("idna") == name.lower().rstrip("."):
            return encoded.decode("ascii")
    except UnicodeError:
        pass
    raise _wrong(
        text, "its name has letters that cannot be converted safely. Write its ASCII form (xn--…) or its address."
    )
