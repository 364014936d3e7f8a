"""Fuzzing of what reads foreign bytes: ``python -m tests.fuzz`` (coverage-guided, by atheris and libFuzzer).

A target is a module with three names, and needs no atheris itself:

    check(data)     takes any octets, goes the way that they go in real life, and asserts what must hold of the outcome
    seeds()         yields (name, octets): real things to begin with
    WORDS           octets that are worth trying: keys, separators, magic numbers

=============  =======================================================================
`txt`          a TXT record, up to what it says and what its signature is worth
`packets`      mDNS packets of several senders, over some time
`replies`      bodies and headers, up to what they prove (no HTTP: fast and deep)
`http`         raw octets on a connection, by the real aiohttp and websockets
`config`       the user's file, and a place that the user typed
=============  =======================================================================

``corpus/<target>/`` holds inputs that together reach all that was ever reached; `test_corpus.py` plays them in every
test run. What made a target fail stays there for ever as ``regression-*``. A new crash is written to ``crashes/``.
"""

from __future__ import annotations

from pathlib import Path

TARGETS = ("txt", "packets", "replies", "http", "config")
CORPUS = Path(__file__).parent / "corpus"
CRASHES = Path(__file__).parent / "crashes"
