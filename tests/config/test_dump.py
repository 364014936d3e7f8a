"""The settings as a file that says them: read again, it means the same."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from hybridisco.config import load
from hybridisco.config.dump import toml


def test_the_defaults_are_shown_without_a_file(tmp_path: Path) -> None:
    text = toml(load(tmp_path / "none.toml"))
    assert text.startswith("# no file: the defaults\n")
    assert tomllib.loads(text)["mdns"] == {"interfaces": [], "types": {}, "remember": True}


@pytest.mark.parametrize("value", ["1e300", "inf", "-7", "true", '"\\"\\\\\\u007f\\n"', "'é'"])
def test_every_plain_value_survives(tmp_path: Path, value: str) -> None:
    proof = f'[[kinds.drawbot.proofs]]\npath = "/"\nequals = {{ "a b" = {value} }}\n'
    file, again = tmp_path / "config.toml", tmp_path / "again.toml"
    file.write_text(proof)
    again.write_text(toml(load(file)))
    assert tomllib.loads(again.read_text())["kinds"] == tomllib.loads(proof)["kinds"]
    assert load(again).kinds == load(file).kinds


@pytest.mark.parametrize("mode", ["first-use", "pinned", "off"])
def test_the_way_to_trust_survives(tmp_path: Path, mode: str) -> None:
    file, again = tmp_path / "config.toml", tmp_path / "again.toml"
    file.write_text(f'[trust]\nmode = "{mode}"\n')
    again.write_text(toml(load(file)))
    assert load(again).trust_mode == load(file).trust_mode == mode
