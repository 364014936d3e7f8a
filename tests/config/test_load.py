"""Reading the user's file: defaults, every key, and errors that say where and what is allowed."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridisco.config import AnnounceSettings, Config, config_file, load, state_folder
from hybridisco.config.example import EXAMPLE
from hybridisco.config.schema import interpret, make_config
from hybridisco.core.errors import ConfigError
from hybridisco.core.target import Target
from hybridisco.kinds import BUILTIN, get

DESIGN = """
[discovery]
timeout_s = 5.0
sources = ["mdns", "probe", "manual"]

[probe]
hosts = ["localhost"]           # more hosts to probe, by name or address
ports = ["8000-8200"]           # searched besides every kind's own ports

[kinds.comfyui]
ports = [8188, 8000]
health = "/system_stats"        # a wrapper's own endpoint

[[services]]                    # manual
kind = "comfyui"
url = "http://gpu-box:8188"
"""


def read(text: str) -> Config:
    return interpret(text, Path("c.toml"))


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    config = load(tmp_path / "none.toml")
    assert config.file is None
    assert (config.timeout_s, config.sources) == (5.0, ("mdns", "probe", "manual"))
    assert (config.probe_hosts, config.probe_ports) == (("localhost",), ((8000, 8200),))
    assert {kind.id for kind in config.kinds} == {kind.id for kind in BUILTIN}
    assert config.trust_mode == "first-use"


def test_the_example_of_the_design_is_right() -> None:
    config = read(DESIGN)
    (entry,) = config.services
    assert (entry.kind, entry.target, entry.url) == ("comfyui", Target("gpu-box", 8188), "http://gpu-box:8188")
    comfyui = get(config.kinds, "comfyui")
    assert comfyui is not None
    assert comfyui.ports == (8188, 8000)


def test_a_program_says_the_same_by_values() -> None:
    assert make_config(tomllib.loads(DESIGN)) == replace(read(DESIGN), file=None)
    assert make_config({}) == replace(read(""), file=None)
    with pytest.raises(ConfigError) as caught:
        make_config({"probe": {"hosts": ["::::"]}})
    assert caught.value.key == "probe.hosts"
    assert (caught.value.file, caught.value.line) == (None, None)
    assert str(caught.value).startswith("probe.hosts: ")


def test_every_key_is_read() -> None:
    config = read(
        """
        [discovery]
        timeout_s = 2
        sources = ["manual"]
        ignore = ["comfyui@box:1"]
        [probe]
        hosts = ["gpu-box", "10.0.0.5", "fe80::1%eth0"]
        ports = ["9000-9010", 7777]
        timeout_s = 1.5
        rescan_s = 10
        [mdns]
        interfaces = ["eth0"]
        types = { "_wyoming._tcp" = "wyoming", "_Comfy._tcp.local." = "comfy" }
        remember = false
        [kinds.drawbot]
        ports = [7000]
        [[kinds.drawbot.proofs]]
        path = "/about"
        has = ["app"]
        [kinds.rvc]
        announce = false
        [announce]
        kinds = ["comfy", "drawbot"]
        ports = ["9100-9102"]
        names = { comfy = "Film machine", "drawbot:7001" = "Second" }
        interfaces = ["eth1"]
        bridges = true
        temporary = true
        [trust]
        mode = "pinned"
        [[services]]
        name = "Big"
        kind = "drawbot"
        url = "box:7000/x"
        """
    )
    assert config.announce == AnnounceSettings(
        kinds=("comfyui", "drawbot"),
        ports=((9100, 9102),),
        names=(("comfyui", None, "Film machine"), ("drawbot", 7001, "Second")),
        interfaces=("eth1",),
        bridges=True,
        temporary=True,
    )
    assert {kind.id for kind in config.kinds if not kind.announced} >= {"rvc"}
    assert (config.timeout_s, config.sources, config.ignore) == (2.0, ("manual",), ("comfyui@box:1",))
    assert config.probe_hosts == ("gpu-box", "10.0.0.5", "fe80::1%eth0")
    assert config.probe_ports == ((9000, 9010), (7777, 7777))
    assert (config.probe_timeout_s, config.rescan_s) == (1.5, 10.0)
    assert config.interfaces == ("eth0",)
    assert config.remember is False
    assert config.trust_mode == "pinned"
    assert config.mdns_types == (("_wyoming._tcp", "wyoming"), ("_comfy._tcp", "comfyui"))
    assert (config.services[0].name, config.services[0].kind, config.services[0].url) == (
        "Big",
        "drawbot",
        "http://box:7000/x",
    )


def test_the_example_file_says_nothing_but_defaults() -> None:
    assert read(EXAMPLE) == read("")


def test_the_comments_of_the_example_file_are_right() -> None:
    config = read(re.sub(r"(?m)^# (?=\w+ = |\[)", "", EXAMPLE))
    assert config.mdns_types == (("_wyoming._tcp", "wyoming"),)
    assert config.services[0].name == "The big box"


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("x = ", "line 1", "not TOML"),
        ("[probe]\nports = [", "line 2", "not TOML"),
        ("[probe]\nhost = []", "line 2: probe.host", "Did you mean hosts"),
        ("a = 1", "line 1: a", "Allowed here: discovery"),
        ("[prob]\nhosts = []", "line 1: prob", "Did you mean probe"),
        ("probe = 1", "line 1: probe", r"\[probe\]"),
        ('[announce]\nkinds = ["comfy-ui"]', "line 2: announce.kinds", "Did you mean comfyui"),
        ("[announce]\nbridges = 1", "line 2: announce.bridges", "true or false"),
        ('[announce.names]\n"comfyui:x" = "a"', "line 2: announce.names", "comfyui:8188"),
        ("[announce]\nnames = { comfyui = 3 }", "line 2: announce.names", "A name is wanted"),
        ("[kinds.comfyui]\nannounce = 1", "line 2: kinds.comfyui.announce", "true or false"),
        ("probe.hosts = 1", "line 1: probe.hosts", "not a list"),
        ("[probe]\nhosts = [1]", "line 2: probe.hosts", "not a host"),
        ('[probe]\nhosts = ["box:80"]', "line 2: probe.hosts", "without a port"),
        ('[probe]\nports = ["9-1"]', "line 2: probe.ports", "ends before"),
        ("[probe]\nports = [true]", "line 2: probe.ports", "8000-8200"),
        ("[probe]\ntimeout_s = 6", "line 2: probe.timeout_s", "0.1 to 5"),
        ("[discovery]\ntimeout_s = nan", "line 2: discovery.timeout_s", "0.1 to 600"),
        ("[discovery]\ntimeout_s = true", "line 2: discovery.timeout_s", "not allowed"),
        ('[discovery]\nsources = ["mdsn"]', "line 2: discovery.sources", "Did you mean mdns"),
        ("[discovery]\nignore = [''] ", "line 2: discovery.ignore", "id of a service"),
        ('[mdns]\ninterfaces = [""]', "line 2: mdns.interfaces", "interface"),
        ('[mdns.types]\nfoo = "x"', "line 2: mdns.types.foo", "DNS-SD type"),
        ('[mdns.types]\n"_a._tcp" = 1', "line 2: mdns.types", "id of a kind"),
        ("[kinds.comfy-ui]\nports = [1]", "line 1: kinds.comfy-ui", "Did you mean comfyui"),
        ("[kinds.comfyui]\nprots = [1]", "line 2: kinds.comfyui.prots", "Did you mean ports"),
        ("[kinds.comfyui]\nports = [0]", "line 2: kinds.comfyui.ports", "1 to 65535"),
        ('[kinds.comfyui]\nhealth = "x"', "line 2: kinds.comfyui.health", "plain path"),
        ("kinds.comfyui = 1", "line 1: kinds.comfyui", "not a table"),
        ('[kinds.x]\n[[kinds.x.proofs]]\npath = "x"', r"line 3: kinds.x.proofs\[1\].path", "plain path"),
        ('[trust]\nmode = "pined"', "line 2: trust.mode", "Did you mean pinned"),
        ('[trust]\nmode = ""', "line 2: trust.mode", "Allowed: first-use, pinned, off"),
        ("[trust]\nmode = 3", "line 2: trust.mode", "quotes"),
        ("[trust]\nmode = false", "line 2: trust.mode", "quotes"),
        ("[trust]\nmodes = 1", "line 2: trust.modes", "Did you mean mode"),
        ("trust = 1", "line 1: trust", r"\[trust\]"),
        ("services = {}", "line 1: services", r"\[\[services\]\]"),
        ('[[services]]\nname = "x"', r"line 1: services\[1\]", "needs its url"),
        ('[[services]]\nurl = "a:1"\n\n[[services]]\nurl = "a"', r"line 5: services\[2\].url", "no port"),
        ('[[services]]\nurl = "ftp://a"', r"line 2: services\[1\].url", "http://"),
        ("[[services]]\nurl = 1", r"line 2: services\[1\].url", "quotes"),
        ('[[services]]\nurl = "a:1"\nkind = "comfi"', r"line 3: services\[1\].kind", "Did you mean comfyui"),
        ('[[services]]\nurl = "a:1"\nkid = ""', r"line 3: services\[1\].kid", "Did you mean kind"),
        ("a = " + "[" * 5000, "c.toml", "nested"),
        (f"probe.timeout_s{'.a' * 2000} = 1", "c.toml", "nested"),
        ('[kinds]\n"a\\u001b\\u202e" = 1', "line 1: kinds", r"a.x1b.u202e"),
        (f"[probe]\nports = [{'1,' * 2000}]", "line 2: probe.ports", "1024"),
    ],
)
def test_errors_name_file_line_and_key_and_say_what_is_allowed(text: str, place: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=place) as wrong:
        read(text)
    assert str(wrong.value).startswith("c.toml")
    assert str(wrong.value).count("c.toml") == 1
    with pytest.raises(ConfigError, match=hint):
        read(text)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="folder"):
        load(tmp_path)
    file = tmp_path / "c.toml"
    file.write_bytes(b"# ok\n\xff\xfe")
    with pytest.raises(ConfigError, match=r"line 2: It is not UTF-8"):
        load(file)
    file.write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(ConfigError, match="more than 1048576 bytes"):
        load(file)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(ConfigError, match="not a regular file"):
        load(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        load(Path("a\0b"))


def test_a_byte_order_mark_and_dev_null_are_fine(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_bytes(b"\xef\xbb\xbf[probe]\r\nhosts = []\r\n")
    assert load(file).probe_hosts == ()
    assert load(Path(os.devnull)).services == ()


def test_the_environment_moves_file_and_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYBRIDISCO_CONFIG", str(tmp_path / "x.toml"))
    monkeypatch.setenv("HYBRIDISCO_STATE", "~/state")
    assert config_file() == tmp_path / "x.toml"
    assert state_folder() == Path.home() / "state"
    monkeypatch.setenv("HYBRIDISCO_CONFIG", "")
    monkeypatch.delenv("HYBRIDISCO_STATE")
    assert config_file().name == "config.toml"
    assert "hybridisco" in str(state_folder())
    monkeypatch.setenv("HYBRIDISCO_CONFIG", "~nobody-of-this-name/x.toml")
    assert config_file() == Path("~nobody-of-this-name/x.toml")


VALUES = st.recursive(
    st.integers()
    | st.booleans()
    | st.text(max_size=10)
    | st.floats()
    | st.dates()
    | st.sampled_from(["comfyui", "a:1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["url", "kind", "name", "ports", "health", "proofs", "hosts", "types", "path", "comfyui", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(["discovery", "probe", "mdns", "kinds", "services", "other"])


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_no_values_crash_it(values: dict[str, object]) -> None:
    import tomlkit

    try:
        text = tomlkit.dumps(values)
    except (ValueError, TypeError):  # values that TOML has no way of writing
        return
    try:
        read(text)
    except ConfigError as wrong:
        assert wrong.file is not None


@given(st.text(max_size=80) | st.text("[]=\"'.\n#abc{}1,", max_size=80))
def test_no_text_crashes_it(text: str) -> None:
    try:
        read(text)
    except ConfigError as wrong:
        assert wrong.file is not None


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import platformdirs

    def homeless(*_: object, **__: object) -> Path:
        raise RuntimeError("could not determine the home directory")

    for variable, function, ask in (
        ("HYBRIDISCO_CONFIG", "user_config_path", config_file),
        ("HYBRIDISCO_STATE", "user_state_path", state_folder),
    ):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.setattr(platformdirs, function, homeless)
        with pytest.raises(ConfigError, match=variable):
            ask()
