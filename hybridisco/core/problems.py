"""Why a service cannot be used, in words for its user: what happened, why it is likely, what to do."""

from __future__ import annotations

from hybridisco.core.kind import Kind
from hybridisco.core.model import Announcement, Endpoint, Finding, Proof

#: Why nothing usable came back. A probe reports one of these; anything else is shown as it is.
REFUSED = "refused"
TIMEOUT = "timeout"
SILENT = "silent"
RESET = "reset"
UNROUTABLE = "unroutable"
DENIED = "denied"
UNRESOLVED = "unresolved"
NO_INTERFACE = "no-interface"
NOT_HTTP = "not-http"
NO_TLS = "no-tls"
NO_FILES = "no-files"
REBOUND = "rebound"
_UNRESOLVED_LOCAL = "unresolved-local"

_CAUSES = {
    REFUSED: "Nothing listens at {url} (connection refused). {title} is probably not running{loopback}. {hint}",
    TIMEOUT: "{url} does not answer. The machine is probably off or asleep, or a firewall drops the connection. "
    "Switch it on, or allow TCP port {port} in its firewall.",
    SILENT: "{url} accepts connections but sends no answer. {title} is probably still loading, stuck, or busy with "
    "a job. Look at its console; restart it if it stays so.",
    RESET: "{url} closes the connection without an answer. {title} is probably just stopping or crashing. "
    "Look at its console.",
    UNROUTABLE: "There is no way from this machine to {address}. Probably the two are in different networks, or a "
    "VPN is in between. Connect both to the same network.",
    DENIED: "This machine does not let us connect to {address}. Probably a local firewall forbids it; on macOS, "
    "allow Blender or the terminal in System Settings › Privacy & Security › Local Network.",
    NO_INTERFACE: "{address} should be reached through the interface {zone}, which this machine does not have now. "
    "Probably it is unplugged, or has another name. Plug it in, or write the right name behind the %.",
    _UNRESOLVED_LOCAL: "This machine cannot look up {host}. Names that end in .local are told by mDNS, which programs "
    "here are probably not set up to ask (Debian: the package libnss-mdns). Write the machine's IP address instead.",
    UNRESOLVED: "The name {host} is not known. Probably it is misspelt or the machine is off. Check the name, or "
    "write the machine's IP address instead.",
    NO_FILES: "{url} could not be looked at: the system gives this program no more files and connections at once. "
    "Probably its limit is low, or another program uses them up. Raise it (`ulimit -n 4096` in a terminal, "
    "LimitNOFILE= in a systemd unit), or close something.",
    REBOUND: "The name {host} leads to no other machine, but to this one itself, to a cloud's metadata service, or to "
    "everybody. It was not asked. Probably the name server or the router is wrong, or somebody plays a trick. Write "
    "localhost if you mean this machine, else the machine's IP address.",
    NOT_HTTP: "Something answers at {url}, but it does not speak HTTP. Probably another program uses port {port}, "
    "or it wants https. Check the port, and try {https}.",
    NO_TLS: "{url} does not speak TLS as https needs. Probably it is a plain http server. Try {http}.",
}
_LOOPBACK = ", or listens for its own machine only"


def explain(
    cause: str | None,
    endpoint: Endpoint,
    kind: Kind | None,
    *,
    local: bool,
    http: str = "http://",
    https: str = "https://",
) -> str:
    """Return the sentence for ``cause`` at ``endpoint``.

    :param http: how the user says that it is plain HTTP.
    :param https: how the user says that it is TLS.
    """
    if cause == UNRESOLVED and (endpoint.host or "").endswith(".local"):
        cause = _UNRESOLVED_LOCAL
    template = _CAUSES.get(cause or "", "{url} gives no answer ({cause}). Check that {title} is running there.")
    hints = [kind.start_hint, "" if local else kind.lan_hint] if kind else ["Start it, or check the port."]
    return template.format(
        url=endpoint.url,
        address=endpoint.address or endpoint.host,
        zone=endpoint.zone or "behind the %",
        host=endpoint.host or endpoint.address,
        port=endpoint.port,
        title=kind.title if kind else "The program",
        loopback="" if local else _LOOPBACK,
        hint=" ".join(hint for hint in hints if hint),
        cause=cause or "no reason known",
        http=http,
        https=https,
    ).strip()


def mismatch(claimed: str, finding: Finding, found_title: str | None, endpoint: Endpoint) -> str:
    """Return the sentence for an endpoint that answers as another kind than the claim says."""
    version = f" {finding.version}" if found_title and finding.version else ""
    what = f"{found_title}{version}" if found_title else f"something that is not {claimed}"
    return (
        f"{endpoint.url} should be {claimed}, but {what} answers there. Probably the port was taken by another "
        "program. Check what runs there, or correct the entry."
    )


def locked(title: str, endpoint: Endpoint) -> str:
    """Return the sentence for a service that wants a login or a key."""
    return (
        f"{title} at {endpoint.url} wants a login or a key before it says more. Log in in your browser, or give the "
        "key to the program that uses it; Hybridisco sends none."
    )


def server_error(code: int) -> str:
    """Return the cause for a server that answers every request with the HTTP status ``code``, 500 or above."""
    return f"http-{code}"


def starting(title: str, endpoint: Endpoint, cause: str | None = None) -> str:
    """Return the sentence for a service that is not ready yet; ``cause`` is that of its finding."""
    if cause is None:
        return f"{title} at {endpoint.url} is starting or loading a model. It is looked at again every few seconds."
    return (
        f"{title} at {endpoint.url} answers with a server error on every path ({cause.removeprefix('http-')}). It has "
        "probably crashed, or is still loading. Look at its console; restart it if it stays so."
    )


def clone(service_id: str, machines: list[str]) -> str:
    """Return the warning for one id that answers at several places."""
    return (
        f"The id {service_id} answers at {' and at '.join(machines)}. Probably a disk image or a state folder was "
        "copied. Delete the sidecar's state folder on one of them; it then makes a new id."
    )


def untrusted(title: str, announcement: Announcement, *, pinned: bool) -> str:
    """Return the sentence for an announcement that may not speak for its id.

    :param pinned: a key is known for the id.
    """
    accept = f"hybridisco trust accept {announcement.id}"
    if announcement.proof is Proof.OUTDATED:
        return (
            f"{title} is announced with a signature that is out of date. Probably the clocks of the two machines "
            "differ by hours, or somebody repeats an old announcement. Set both clocks; if they are right, do not use "
            "it."
        )
    if announcement.proof is Proof.FALSE:
        return (
            f"{title} is announced with a signature that does not fit what it says or where it is. Probably somebody "
            "has copied another machine's announcement. Do not use it unless you know why."
        )
    if announcement.signer is None or announcement.id is None:  # there is no key that could be accepted
        return _unsigned_but_known(title, announcement) if pinned else _unsigned_and_unknown(title)
    if announcement.proof is Proof.UNCHECKED:  # nor is one that nobody has proven: it is not noted
        return (
            f"{title} is signed with a key that is not {'the known one' if pinned else 'accepted here'}, and its "
            "signature cannot be checked: this machine lacks the Python package cryptography. Install it here (`pip "
            f"install cryptography`) and look again; then `{accept}` can show the key."
        )
    if not pinned:
        return (
            f"{title} is announced by somebody whose key is not among those that are accepted here (trust.mode is "
            f'"pinned"). If it is yours, run `{accept}`, or import your studio\'s keys with `hybridisco trust import`.'
        )
    return (
        f"WARNING: {title} is announced under a known id, but signed with another key than before. Either its machine "
        "or sidecar was set up anew, or somebody pretends to be it. Find out which: run `hybridisco announce status` "
        f"on that machine and compare its key with what `{accept}` shows. Accept it only if they are the same."
    )


def _unsigned_but_known(title: str, announcement: Announcement) -> str:
    return (
        f"WARNING: {title} is announced under a known id, but no longer signed. Probably its sidecar runs without the "
        "Python package cryptography now, or somebody pretends to be it. Install it on that machine (`pip install "
        "cryptography`) and restart the sidecar; or, if it is to stay unsigned, run `hybridisco trust remove "
        f"{announcement.id}` here."
    )


def _unsigned_and_unknown(title: str) -> str:
    return (
        f'{title} is not signed, and so cannot be accepted (trust.mode is "pinned"). Probably its sidecar runs without '
        "the Python package cryptography, or Avahi announces it. Install the package on that machine (`pip install "
        "cryptography`) and restart the sidecar; or, if it cannot sign, write its address down with `hybridisco add`."
    )


def impostor(name: str, places: list[str]) -> str:
    """Return the warning that somebody announces a service whose key he does not have."""
    return (
        f"Somebody announces {name} at {' and '.join(places)} without having its key. What is shown is the one with "
        "the key. Find out who it is: either a sidecar was set up anew, or somebody pretends to be it."
    )


NOT_CHECKED = "It was announced or written down, but has not been looked at yet. That is done in a moment."
NETWORK_SILENT = "It answered before, but no longer does. It is being checked again."
NETWORK_LOST = (
    "This machine has lost its network: probably a cable is unplugged, or the Wi-Fi is gone. Connect it again; what is "
    "shown here is how it was before."
)
NETWORK_DOUBTED = (
    "It answered before, but no longer does, and neither does any other machine. Probably this machine has lost its "
    "network. Look at its cable or Wi-Fi; all are being checked again."
)
ANNOUNCER_LOST = (
    "It answers, but the sidecar that announced it has ended without a goodbye. Probably it crashed or was killed. "
    "Start it again on that machine, or write the address down with `hybridisco add`."
)
HANGS = (
    "It takes connections, but does not answer at the moment. It is probably computing, or stuck. It is looked at "
    "again and again; if it stays so, look at its console."
)
