"""``hybridisco trust``: the keys of sidecars that this machine knows."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from hybridisco.trust.store import Known, KnownKeys, Merged

DONE, NOTHING, NOT_DONE = 0, 1, 2


def _store() -> KnownKeys:
    from hybridisco.trust.store import KnownKeys, default_file

    return KnownKeys(default_file())


def _complete_id(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from hybridisco.core.errors import HybridiscoError

    entries: dict[str, Known] = {}
    with suppress(HybridiscoError):  # there is no way to tell of it while somebody types
        store = _store()
        entries |= store.keys()
        entries |= {entry.id: entry for entry in store.refused()}
    return [CompletionItem(entry.id, help=entry.name) for entry in entries.values() if entry.id.startswith(incomplete)]


@click.group(invoke_without_command=True, options_metavar="", subcommand_metavar="[COMMAND]")
@click.pass_context
def trust(ctx: click.Context) -> int | None:
    """Show or change which keys are trusted. Without a COMMAND it lists them.

    A sidecar signs what it announces with a key of its own, and that key is remembered at first sight. A service that
    comes with another key later is `untrusted`, until you accept its new key. Your settings can ask for more:
    mode = "pinned" below [trust] trusts no key that is not listed here.
    """
    if ctx.invoked_subcommand is not None:
        return None
    return int(ctx.invoke(list_, as_json=False))


@trust.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_(as_json: bool) -> int:
    """Show the keys that are known, with their fingerprints.

    Exit status: 0 if there are some, 1 if there are none, 2 if they cannot be read.
    """
    from hybridisco.faces.cli import keys
    from hybridisco.faces.cli.outcome import say
    from hybridisco.faces.cli.terminal import look
    from hybridisco.trust.ed25519 import can_verify

    store = _store()
    store.load()
    known = keys.by_name(entry for entry in store.keys().values() if not entry.damaged)
    refused = _news(store)
    if as_json:
        import json

        click.echo(json.dumps(keys.document(known, refused), indent=2))
    elif known:
        click.echo(keys.table(known, look()), color=look().color)
    else:
        say(keys.why_none(_mode()))
    _warn(store.warnings)
    for line in keys.refused_lines(refused, store.keys()):
        say(line)
    if not can_verify():
        say(keys.UNCHECKED)
    return DONE if known else NOTHING


def _news(store: KnownKeys) -> list[Known]:
    """Return what was refused and is not accepted since: another process may just have noted it again."""
    known = store.keys()
    return [entry for entry in store.refused() if entry.id not in known or known[entry.id].key != entry.key]


def _mode() -> str:
    """Return the setting ``trust.mode``, the usual one where the settings are wrong: other commands tell of that."""
    from hybridisco.config import Config, load
    from hybridisco.core.errors import HybridiscoError

    with suppress(HybridiscoError):
        return load().trust_mode
    return Config().trust_mode


def _warn(warnings: tuple[str, ...]) -> None:
    from hybridisco.faces.cli.outcome import say

    for warning in warnings:
        say(f"Warning: {warning}")


@trust.command()
@click.argument("which", metavar="ID|NAME", shell_complete=_complete_id)
@click.option("--key", metavar="BASE64", help="This key, instead of the one that was refused.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def accept(which: str, key: str | None, yes: bool) -> int:
    """Trust the new key of a service.

    Both fingerprints are shown first. The service is named by its id, the beginning of its id, or its name;
    `hybridisco list --ids` shows the ids. Accept a key only if you know why it changed: a box that was set up anew has
    a new one, and so has another machine that pretends to be that box.

    Exit status: 0 if the key is trusted now, 1 if you said no, 2 for wrong usage or if it could not be written.
    """
    import time

    from hybridisco.faces.cli import keys
    from hybridisco.faces.cli.outcome import say
    from hybridisco.trust.store import fingerprint

    store = _store()
    known = store.load()
    new = _by_hand(store, which, key) if key is not None else _refused(store, which)
    old = known.get(new.id)
    known_name = old.name if old else ""
    title = keys.shown_as(new.id, known_name or new.name)  # the new name may be a lie as well
    if old is not None and old.key == new.key:
        say(f"{title} has this key already: {fingerprint(new.key)}.")
        return DONE
    say(title)
    if old is not None:
        say(f"  known  {'a line that is damaged' if old.damaged else keys.mark(old)}")
    say(f"  new    {fingerprint(new.key) if key else keys.mark(new)}")
    if not yes and not _agreed("Do you know why it changed, and is the new one right?" if old else "Is this its key?"):
        say("Nothing was changed.")
        return NOTHING
    store.accept(new.id, new.key, new.name or known_name, time.time())
    say(f"Trusted from now on, and kept in {store.path}.")
    return DONE


def _agreed(question: str) -> bool:
    """Ask it. :raises UsageError: there is nobody to ask."""
    from hybridisco.core.errors import UsageError
    from hybridisco.faces.cli.terminal import is_terminal

    if not is_terminal(sys.stdin):
        raise UsageError(
            "Nobody can be asked here (this is no terminal), so nothing was changed. If the new fingerprint above is "
            "right, say so with --yes."
        )
    return click.confirm(question, err=True)


def _by_hand(store: KnownKeys, which: str, key: str) -> Known:
    """Return the key that was typed. :raises UsageError: it is none, or it is not clear whose it is."""
    from hybridisco.core.errors import UsageError
    from hybridisco.faces.cli import keys
    from hybridisco.trust.change import announced_id
    from hybridisco.trust.store import Known, checked

    entries = (*store.refused(), *store.keys().values())
    service_id = keys.meant(which, entries)
    name = next((entry.name for entry in reversed(entries) if entry.id == service_id), "")
    which_id = announced_id(which)
    if service_id is not None and service_id != which_id and which.casefold() != name.casefold():
        # For somebody new it may be the whole id: a key must not go to whoever's id begins alike.
        raise UsageError(f"With --key, write the whole id. Did you mean {service_id}?")
    return checked(Known(service_id or which_id, key.strip().rstrip("="), 0.0, name))


def _refused(store: KnownKeys, which: str) -> Known:
    """Return the key that was refused. :raises UsageError: there is none, or there are several."""
    from hybridisco.core.errors import UsageError
    from hybridisco.faces.cli import keys

    news = _news(store)
    service_id = keys.meant(which, (*news, *store.keys().values()))
    found = [entry for entry in news if entry.id == service_id]
    if not found:
        names = {entry.id: entry.name for entry in store.keys().values()}
        raise UsageError(keys.nothing_refused(which, service_id, names.get(service_id or "", "")))
    if len(found) > 1:
        shown = "".join(f"\n  {entry.key}\n    {keys.mark(entry)}" for entry in found)
        raise UsageError(
            f"{len(found)} different keys of {service_id} were refused, and at most one of them can be right. Find out "
            f"which on the machine itself, and give it with --key:{shown}"
        )
    return found[0]


@trust.command()
@click.argument("which", metavar="ID|NAME...", nargs=-1, required=True, shell_complete=_complete_id)
def remove(which: tuple[str, ...]) -> int:
    """Forget the keys of services. Whatever key they have when they are next seen is remembered then (in the mode
    "pinned" it is `untrusted` until you accept it); without a signature they are shown as unsigned.

    Exit status: 0 if they are forgotten, 2 if one is not known (nothing is changed then).
    """
    from hybridisco.core.errors import UsageError
    from hybridisco.faces.cli import keys
    from hybridisco.faces.cli.outcome import say

    store = _store()
    known = store.load()
    ids: dict[str, None] = {}
    for word in which:
        service_id = keys.meant(word, known.values())
        if service_id is None:
            raise UsageError(f"No key of {ascii(word)[:80]} is known. `hybridisco trust list` shows those that are.")
        ids[service_id] = None
    for service_id in ids:
        store.remove(service_id)
        say(f"Forgotten: the key of {keys.shown_as(service_id, known[service_id].name)}.")
    return DONE


@trust.command()
@click.argument("file", required=False)
def export(file: str | None) -> int:
    """Print the known keys, or write them to a FILE.

    `hybridisco trust import` reads them on another machine. A FILE that exists stays as it is.

    Exit status: 0 if that was done, 2 if they cannot be read or written.
    """
    from hybridisco.faces.cli.outcome import say

    store = _store()
    text = store.text()
    _warn(store.warnings)
    if file is None or file == "-":
        click.echo(text, nl=False)
        return DONE
    _write_new(Path(file), text)
    number = sum(not entry.damaged for entry in store.keys().values())
    say(f"Written: {number} key{'' if number == 1 else 's'} to {file}.")
    return DONE


def _write_new(file: Path, text: str) -> None:
    from hybridisco.core.errors import ConfigError

    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise ConfigError(
            "It exists already and stays as it is. Name a new file, or move it away.", file=file
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"It cannot be written ({reason}). Check its folder.", file=file) from error


@trust.command(name="import")
@click.argument("file", metavar="FILE|-")
@click.option("--force", is_flag=True, help="Where another key is known, take the one of the file.")
def import_(file: str, force: bool) -> int:
    """Add the keys of a FILE that was exported.

    - reads what is piped in. A service whose known key is another one keeps it, and is told of.

    Exit status: 0 if all keys of the file are known now, 2 if some are not, or if it cannot be read or written.
    """
    from hybridisco.core.errors import ConfigError

    data = _read(file)
    source = "stdin" if file == "-" else file
    merged = _store().merge(data, force=force, source=source)
    _warn(merged.warnings)
    if not (merged.added or merged.same or merged.conflicts or merged.replaced):
        raise ConfigError("There is no key in it. Make one with `hybridisco trust export`.", file=source)
    _tell(merged)
    return NOT_DONE if merged.conflicts or merged.warnings else DONE


def _read(file: str) -> bytes:
    """Return what is in a file or piped in, to a bit more than is allowed. :raises ConfigError: it cannot be read."""
    from hybridisco.core.errors import ConfigError
    from hybridisco.trust.file import SIZE_LIMIT

    if file == "-":
        return sys.stdin.buffer.read(SIZE_LIMIT + 1)
    try:
        with Path(file).open("rb") as stream:
            return stream.read(SIZE_LIMIT + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"It cannot be read ({reason}). Check its path and its permissions.", file=file) from error


def _tell(merged: Merged) -> None:
    """Say what an import did."""
    from hybridisco.faces.cli import keys
    from hybridisco.faces.cli.outcome import say
    from hybridisco.trust.store import fingerprint

    for old, new in (*merged.conflicts, *merged.replaced):
        say(keys.shown_as(new.id, new.name or old.name))
        say(f"  known  {'a line that is damaged' if old.damaged else fingerprint(old.key)}")
        say(f"  file   {fingerprint(new.key)}")
    parts = [(len(merged.added), "new"), (merged.same, "known already"), (len(merged.replaced), "replaced")]
    said = ", ".join(f"{number} {what}" for number, what in parts if number) or "none new"
    say(f"Keys: {said}.")
    if merged.conflicts:
        say(
            f"{len(merged.conflicts)} of the file differ from what is known (above), and were left out. If the file is "
            "right, import it with --force."
        )
