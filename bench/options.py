"""What the command lines of all benches share."""

from __future__ import annotations

import argparse


def parser(prog: str, about: str, epilog: str | None = None) -> argparse.ArgumentParser:
    """Return a parser that shows a module's docstring and the epilog as they stand, without the markup of code."""
    plain = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(prog, description=about.replace("``", ""), epilog=epilog, formatter_class=plain)


def at_least_one(text: str) -> int:
    """Read a number of rounds, services or the like.

    :raises argparse.ArgumentTypeError: it is no whole number, or less than 1.
    """
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, at least 1, and not {text!r}")
    return number
