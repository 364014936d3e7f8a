"""What must hold of every kind, whoever writes it."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from hybridisco.core import safe
from hybridisco.core.kind import Kind, Tier
from hybridisco.kinds import BUILTIN, get
from hybridisco.kinds.extra import CAPABILITIES

#: Requests that cost money, take a server out of rotation, change something, or send megabytes.
FORBIDDEN = re.compile(
    r"""/health(/drain)?   # LiteLLM: paid calls; SGLang: writes a token
      | /openapi\.json | /object_info.* | /history.* | /queue(/.*)? | /api/jobs.* | /internal/logs.*
      | /startup-events | /heartbeat.* | /monitoring.* | /dev/reload | /stream.* | (/gradio_api)?/queue/.*
      | /sdapi/v1/log.* | (/API)?/GetNewSession | /flush_cache | /shutdown | /models?/apply
      | /v1/(chat/)?completions | /api/(generate|chat).*""",
    re.VERBOSE | re.IGNORECASE,
)

each_kind = pytest.mark.parametrize("kind", BUILTIN, ids=lambda kind: kind.id)


def requests(kind: Kind) -> set[str]:
    """Everything that may be asked because of ``kind``, but for what the user asks for."""
    proven_by = {step.request for proof in kind.proofs for step in proof.steps}
    return proven_by | {fact.request for fact in kind.facts}


@each_kind
def test_no_forbidden_request(kind: Kind) -> None:
    assert [request for request in requests(kind) if FORBIDDEN.fullmatch(request.removeprefix("ws:"))] == []


@pytest.mark.parametrize("path", ["/health", "/health/drain", "/openapi.json", "/object_info/KSampler", "/queue"])
def test_the_rule_against_forbidden_requests_bites(path: str) -> None:
    assert FORBIDDEN.fullmatch(path)


@pytest.mark.parametrize("path", ["/health/liveliness", "/health/readiness", "/model_info", "/api/health"])
def test_the_rule_against_forbidden_requests_lets_the_harmless_pass(path: str) -> None:
    assert not FORBIDDEN.fullmatch(path)


def test_only_litellm_has_costly_proofs_and_only_its_health_page() -> None:
    costly = {(kind.id, step.request) for kind in BUILTIN for proof in kind.opt_in for step in proof.steps}
    assert costly == {("litellm", "/health")}


@each_kind
def test_requests_are_plain_paths(kind: Kind) -> None:
    """No query, no host: and so no side effect by a parameter."""
    for request in requests(kind):
        assert safe.path(request.removeprefix("ws:")), request


@each_kind
def test_every_step_looks_at_more_than_the_status(kind: Kind) -> None:
    """A proof of statuses only would be fooled by any server."""
    for proof in kind.proofs:
        wordings = [condition.wording for step in proof.steps for condition in step.where]
        assert all(step.where for step in proof.steps)
        assert any(not wording.startswith(("status in", "not (")) for wording in wordings), wordings


@each_kind
def test_facts_are_of_known_names(kind: Kind) -> None:
    """Faces show these; a path or an argument list is never among them."""
    assert {fact.name for fact in kind.facts} <= {"version", "gpu", "vram_mib", "queue", "title", "model", "gradio"}
    assert not any("argv" in fact.pointer or "path" in fact.pointer for fact in kind.facts)


@each_kind
def test_a_fact_is_asked_at_most_once_more(kind: Kind) -> None:
    """What no proof asks is worth at most two further requests."""
    proven_by = {step.request for proof in kind.proofs for step in proof.steps}
    assert len({fact.request for fact in kind.facts if fact.asked} - proven_by) <= 2


@each_kind
def test_words_for_people(kind: Kind) -> None:
    assert kind.title == safe.text(kind.title)
    for words in (kind.start_hint, kind.lan_hint):
        assert words == safe.text(words, 400) and words.endswith((".", ")"))
    assert kind.homepage.startswith("https://")


@each_kind
def test_a_hint_for_the_lan_says_what_to_do(kind: Kind) -> None:
    assert re.search(r"--|-l`|0\.0\.0\.0|turn on|publish|firewall", kind.lan_hint)


@each_kind
def test_ids_ports_and_capabilities(kind: Kind) -> None:
    assert safe.kind_id(kind.id) == kind.id
    assert kind.proofs and kind.ports
    assert len(set(kind.ports)) == len(kind.ports)
    assert all(0 < port < 65536 for port in kind.ports)
    assert set(kind.capabilities) <= set(CAPABILITIES)
    assert len(set(kind.capabilities)) == len(kind.capabilities)
    assert kind.queue_limit is None or "queue" in {fact.name for fact in kind.facts}


@each_kind
def test_what_is_announced_can_make_something(kind: Kind) -> None:
    assert kind.capabilities or not kind.announced


def test_ids_and_aliases_are_unique() -> None:
    names = [name for kind in BUILTIN for name in (kind.id, *kind.aliases)]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() for name in names)


def test_the_five_and_their_ports() -> None:
    mission = {"comfyui": 8188, "wan2gp": 7860, "litellm": 8000, "rvc": 7865, "audioldm": 7863}
    for name, port in mission.items():
        kind = get(BUILTIN, name)
        assert kind is not None and port in kind.ports and kind.announced


def test_gradio_apps_belong_to_the_family() -> None:
    """So that a login page at a claimed Wan2GP is not called a mismatch."""
    family = {kind.id for kind in BUILTIN if kind.family == "gradio"}
    assert family == {
        kind.id for kind in BUILTIN if any(step.lens == "gradio" for proof in kind.proofs for step in proof.steps)
    }
    assert {"wan2gp", "rvc", "audioldm", "gradio"} <= family


def test_the_imitator_goes_first_and_the_framework_last() -> None:
    assert BUILTIN[0].id == "koboldcpp"
    assert [kind.id for kind in BUILTIN if kind.tier is Tier.FRAMEWORK] == [BUILTIN[-1].id] == ["gradio"]


def test_get_by_id_and_by_alias() -> None:
    assert get(BUILTIN, " ComfyUI ") is BUILTIN[1]
    assert get(BUILTIN, "a1111") is get(BUILTIN, "automatic1111")
    assert get(BUILTIN, "nothing") is None
    assert get((), "comfyui") is None


def test_importing_the_kinds_is_cheap() -> None:
    """No package metadata, no vendor library: Blender imports this on its main thread."""
    heavy = "importlib.metadata", "zeroconf", "aiohttp", "websockets", "tomlkit"
    code = f"import sys; import hybridisco.kinds.extra; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
