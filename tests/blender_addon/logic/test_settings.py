"""Preferences become settings; a wrong value is told, and costs nothing but itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_addon.logic import settings
from blender_addon.logic.settings import MAIN_KINDS, Stored, StoredEntry, StoredKind, settings_of
from hybridisco import Config, Kind, find_kind
from hybridisco.core.conditions import Reply


def kind(config: Config, name: str) -> Kind:
    found = find_kind(config.kinds, name)
    assert found is not None
    return found


def test_untouched_preferences_are_the_defaults() -> None:
    config, complaints = settings_of(Stored(kinds=tuple(map(StoredKind, MAIN_KINDS))))
    defaults = Config()
    assert complaints == ()
    assert (config.sources, config.probe_hosts, config.probe_ports) == (
        defaults.sources,
        defaults.probe_hosts,
        defaults.probe_ports,
    )
    assert (config.timeout_s, config.probe_timeout_s, config.rescan_s) == (5.0, 5.0, 5.0)


def test_lists_are_read_as_people_type_them() -> None:
    config, complaints = settings_of(
        Stored(hosts=" localhost,gpu-box;  10.0.0.5\t", ports="8000-8200 9000,  17860-17870", sources=("probe",))
    )
    assert complaints == ()
    assert config.probe_hosts == ("localhost", "gpu-box", "10.0.0.5")
    assert config.probe_ports == ((8000, 8200), (9000, 9000), (17860, 17870))
    assert config.sources == ("probe",)


def test_nothing_is_a_list_too() -> None:
    config, complaints = settings_of(Stored(hosts="", ports=" ", sources=()))
    assert (config.probe_hosts, config.probe_ports, config.sources, complaints) == ((), (), (), ())


def test_a_text_is_no_regular_expression() -> None:
    """A slip in one could hold Blender for ever."""
    config, complaints = settings_of(
        Stored(kinds=(StoredKind("mine", custom=True, proof_path="/", proof_body="(a+)+$"),))
    )
    assert complaints == ()
    (condition,) = kind(config, "mine").proofs[0].steps[0].where
    assert condition.holds(Reply("/", body="so it says: (a+)+$ and more"))
    assert not condition.holds(Reply("/", body="a" * 4000 + "!"))


def test_a_wrong_value_is_told_and_the_others_count() -> None:
    config, complaints = settings_of(
        Stored(
            hosts="localhost, ::::, gpu-box",
            ports="banana, 9000, 70000",
            kinds=(StoredKind("comfyui", "8190, x"), StoredKind("rvc", "7897")),
            entries=(StoredEntry("javascript:alert(1)"), StoredEntry("http://gpu-box:8188", "comfyui", "The box")),
        )
    )
    assert config.probe_hosts == ("localhost", "gpu-box")
    assert config.probe_ports == ((9000, 9000),)
    assert kind(config, "comfyui").ports == (8188, 8000) and kind(config, "rvc").ports == (7897,)
    assert [(entry.url, entry.kind, entry.name) for entry in config.services] == [
        ("http://gpu-box:8188", "comfyui", "The box")
    ]
    assert [(one.place, one.index) for one in complaints] == [
        ("hosts", None),
        ("ports", None),
        ("ports", None),
        ("kinds", 0),
        ("manual", 0),
    ]
    messages = [one.message for one in complaints]
    assert "'banana' is not a range of ports" in messages[1]
    assert all(message[0] != message[0].lower() or message[0] in "'\"" for message in messages)
    assert not any(message.startswith(("probe.", "kinds.", "services")) for message in messages), messages


def test_a_space_is_a_slip_in_a_host() -> None:
    config, (complaint,) = settings_of(Stored(hosts="gpu box, localhost"))
    assert config.probe_hosts == ("localhost",) and "space" in complaint.message


def test_whatever_was_pasted_there_is_told_and_costs_no_time() -> None:
    stored = Stored(hosts="a, " * 5000, ports="x " * 5000, entries=(StoredEntry("::"),) * 5000)
    config, complaints = settings_of(stored)
    assert config.probe_hosts == ("a",) and config.probe_ports == () and config.services == ()
    assert [one.place for one in complaints] == ["ports", *["manual"] * 8]


def test_settings_that_are_right_are_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []
    real = settings.make_config

    def counting(values: dict[str, object]) -> Config:
        tried.append(values)
        return real(values)

    monkeypatch.setattr(settings, "make_config", counting)  # counts, and does it all the same
    entries = tuple(StoredEntry(f"10.0.0.{n}:8188") for n in range(250))
    config, complaints = settings_of(Stored(hosts=", ".join(f"box-{n}" for n in range(300)), entries=entries))
    assert (len(config.services), len(config.probe_hosts), complaints) == (250, 300, ())
    assert len(tried) < 12, "else a long list would hold up Blender for a second"


def test_a_wrappers_own_health_path() -> None:
    config, complaints = settings_of(Stored(kinds=(StoredKind("wan2gp", "9100", health="/healthz"),)))
    assert complaints == ()
    wan2gp = kind(config, "wan2gp")
    assert wan2gp.ports == (9100,)
    assert any(step.request == "/healthz" for proof in wan2gp.proofs for step in proof.steps)


CUSTOM = StoredKind(
    "whisperbox", "9200", custom=True, title="Whisper Box", proof_path="/about", proof_has="model.name, version"
)


def test_a_kind_of_ones_own_and_a_service_of_it() -> None:
    config, complaints = settings_of(
        Stored(kinds=(CUSTOM,), entries=(StoredEntry("http://gpu-box:9200", "whisperbox"),))
    )
    assert complaints == ()
    assert (kind(config, "whisperbox").title, kind(config, "whisperbox").ports) == ("Whisper Box", (9200,))
    assert config.services[0].kind == "whisperbox"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (StoredKind("Whisper Box!", custom=True, proof_path="/about", proof_body="x"), "lower-case letters"),
        (StoredKind("whisperbox", custom=True, proof_path="/about"), "prove nothing"),
        (StoredKind("whisperbox", custom=True, proof_path="about", proof_body="x"), "plain path"),
        (StoredKind("http", custom=True, proof_path="/about", proof_body="x"), "take another id"),
        (StoredKind("no-such-kind", "8188"), "There is no kind of this name"),
        (StoredKind("comfyui", "99999"), "from 1 to 65535"),
    ],
)
def test_a_wrong_kind_is_told(wrong: StoredKind, says: str) -> None:
    config, (complaint,) = settings_of(Stored(kinds=(wrong,)))
    assert says in complaint.message and (complaint.place, complaint.index) == ("kinds", 0)
    assert kind(config, "comfyui").ports == (8188, 8000)


@given(
    st.text(max_size=40),
    st.text(max_size=40),
    st.floats(allow_nan=True),
    st.builds(StoredKind, st.text(max_size=20), st.text(max_size=20), custom=st.booleans(), proof_path=st.text()),
    st.builds(StoredEntry, st.text(max_size=40), st.text(max_size=20), st.text(max_size=20)),
)
def test_no_value_ever_breaks_anything(
    hosts: str, ports: str, seconds: float, one: StoredKind, entry: StoredEntry
) -> None:
    stored = Stored(
        hosts=hosts, ports=ports, timeout_s=seconds, rescan_s=seconds, kinds=(one, StoredKind("rvc")), entries=(entry,)
    )
    config, _ = settings_of(stored)
    assert kind(config, "rvc")
