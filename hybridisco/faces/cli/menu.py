"""The table of commands, and the overview of it. Imports nothing, so that help is there at once."""

from __future__ import annotations

# Section: (name, where it is, what it does).
SECTIONS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Find": (
        ("list", "hybridisco.faces.cli.commands.list_:list_", "Show the backends that are there now"),
        ("watch", "hybridisco.faces.cli.commands.watch:watch", "Show them as they come and go, until Ctrl-C"),
        ("probe", "hybridisco.faces.cli.commands.probe:probe", "Look at one host, or at one port of it"),
        ("kinds", "hybridisco.faces.cli.commands.kinds:kinds", "Show which kinds of backends are recognised"),
        ("doctor", "hybridisco.faces.cli.commands.doctor:doctor", "Find out why something is not seen"),
    ),
    "Write down": (
        ("add", "hybridisco.faces.cli.commands.services:add", "Add a backend by its URL"),
        ("remove", "hybridisco.faces.cli.commands.services:remove", "Remove one that was added"),
        ("ignore", "hybridisco.faces.cli.commands.services:ignore", "Keep one out of every list"),
        ("config", "hybridisco.faces.cli.commands.config:config", "Show, check or begin your settings"),
        ("trust", "hybridisco.faces.cli.commands.trust:trust", "Show or change whose announcements are trusted"),
    ),
    "Share": (("announce", "announcers.cli:announce", "Announce the backends of this machine to the LAN"),),
    "Try": (
        ("demo", "hybridisco.faces.cli.commands.demo:demo", "Start mock backends, find them, and stop them"),
        ("mock", "hybridisco.faces.cli.commands.mock:mock", "Serve mock backends until Ctrl-C"),
        (
            "completion",
            "hybridisco.faces.cli.commands.completion:completion",
            "Print shell completion (bash, zsh, fish)",
        ),
    ),
}

#: Name of a command: (where it is, what it does).
COMMANDS: dict[str, tuple[str, str]] = {
    name: (where, what) for section in SECTIONS.values() for name, where, what in section
}

#: Commands whose log of what they do is what their user wants to see.
TALKATIVE = frozenset({"announce"})

_HEAD = """\
Usage: hybridisco COMMAND [OPTIONS]

Finds AI backends (ComfyUI, Wan2GP, LiteLLM, RVC, AudioLDM and many more) on
this machine and on your network, without typing an address."""

_TAIL = """\
Options:
  -v, --verbose  Log on stderr what is done; -vv logs more.
  --version      Show the version.
  -h, --help     Show this; `hybridisco COMMAND --help` shows more.

Exit status: 0 found, 1 nothing found, 2 wrong usage or config,
3 discovery could not run, 130 interrupted."""


def overview() -> str:
    """Return the help of the whole command line."""
    width = max(map(len, COMMANDS))
    parts = [_HEAD]
    for title, commands in SECTIONS.items():
        parts.append("\n".join([f"{title}:", *(f"  {name:{width}}  {what}" for name, _, what in commands)]))
    return "\n\n".join([*parts, _TAIL])
