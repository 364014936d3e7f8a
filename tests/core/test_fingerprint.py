"""Which request comes next, and what the replies prove."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridisco.core.conditions import Condition, Reply, equals, has, status, unless
from hybridisco.core.fingerprint import Identification, read_json
from hybridisco.core.kind import Fact, Kind, Proof, Step, Tier
from hybridisco.core.model import Finding, Status
from hybridisco.kinds import BUILTIN

from .test_conditions import JSON


def says(path: str, word: str) -> Step:
    return Step(path, (equals("is", word),))


RED = Kind(
    id="red",
    title="Red",
    ports=(1000,),
    proofs=(Proof((says("/red", "red"), says("/red2", "red"))), Proof((says("/only", "red"),), expected_only=True)),
    facts=(
        Fact("version", "/red", "v"),
        Fact("version", "/old", "v"),
        Fact("queue", "/queue", "n"),
        Fact("gpu", "/red", "gpu", r"^(?:cuda:\d+ )?(.+)", where=(unless(equals("type", "cpu")),)),
        Fact("vram_mib", "/red", "bytes", scale=1 / 2**20),
        Fact("note", "/note", "x", asked=False),
    ),
    capabilities=("image",),
    queue_limit=5,
)
BLUE = Kind(
    id="blue",
    title="Blue",
    ports=(1000, 2000),
    proofs=(
        Proof((Step("/blue", (status(503), has("is"))),), Status.STARTING),
        Proof((says("/blue", "blue"),)),
    ),
)
FRAME = Kind(
    id="frame",
    title="Frame",
    ports=(3000,),
    proofs=(Proof((says("/frame", "frame"),)),),
    tier=Tier.FRAMEWORK,
    family="f",
)
BUILT = Kind(
    id="built",
    title="Built on Frame",
    ports=(3000,),
    proofs=(Proof((Step("/frame", (has("is"),)), says("/built", "built"))), Proof((says("/wrap", "built"),))),
    family="f",
)
KINDS = (RED, BLUE, BUILT, FRAME)


def ok(**data: object) -> tuple[int, object]:
    return 200, data


def play(
    answers: dict[str, tuple[int, object]], port: int = 9, claimed: str | None = None
) -> tuple[Finding, list[tuple[str, ...]]]:
    """Return the finding, and what was wanted in each round. What has no answer is a 404."""
    identification = Identification(KINDS, port, claimed)
    rounds: list[tuple[str, ...]] = []
    while wanted := identification.wanted():
        rounds.append(wanted)
        assert len(rounds) < 20
        for request in wanted:
            code, data = answers.get(request, (404, ""))
            text = data if isinstance(data, str) else json.dumps(data)
            identification.feed(read_json(Reply(request, code, (), text, None if code else "refused", 2.0)))
    return identification.finding(), rounds


def test_the_kind_of_the_port_is_asked_alone_first() -> None:
    finding, rounds = play({"/blue": ok(**{"is": "blue"})}, port=2000)
    assert finding.kind == "blue" and rounds == [("/blue",)]


def test_the_claimed_kind_goes_before_the_ports_kinds() -> None:
    _, rounds = play({}, port=2000, claimed="red")
    assert rounds[0] == ("/red", "/blue")


def test_the_others_follow_when_the_expected_is_not_there() -> None:
    finding, rounds = play({"/red": ok(**{"is": "red"}), "/red2": ok(**{"is": "red"})}, port=2000)
    assert finding.kind == "red"
    assert rounds[:3] == [("/blue",), ("/red", "/frame", "/wrap"), ("/red2",)] or rounds[1][:1] == ("/red",)


def test_a_step_is_asked_only_once_the_one_before_held() -> None:
    _, rounds = play({"/red": ok(**{"is": "green"})}, port=1000)
    assert not any("/red2" in wanted for wanted in rounds)


@pytest.mark.parametrize(("port", "claimed", "asked"), [(1000, None, True), (9, "red", True), (9, None, False)])
def test_a_proof_for_the_expected_only(port: int, claimed: str | None, asked: bool) -> None:
    finding, rounds = play({"/only": ok(**{"is": "red"})}, port, claimed)
    assert any("/only" in wanted for wanted in rounds) is asked
    assert finding.kind == ("red" if asked else None)


def test_nothing_known_costs_the_index_for_its_title() -> None:
    finding, rounds = play({"/": (200, "<html><title lang='en'> My \x1b[31mpage </title>")})
    assert rounds[-1] == ("/",)
    assert finding.kind is None and finding.properties == (("title", "My [31mpage"),)


def test_facts_are_read_and_asked_for() -> None:
    red = ok(**{"is": "red"}, v="1.0", gpu="cuda:0 RTX", bytes=2**31, type="cuda")
    finding, rounds = play({"/red": red, "/red2": ok(**{"is": "red"}), "/queue": ok(n=1)}, port=1000)
    assert rounds[-1] == ("/queue",)
    assert finding.version == "1.0"
    assert dict(finding.properties) == {"gpu": "RTX", "vram_mib": 2048, "queue": 1}
    assert (finding.capabilities, finding.latency_ms, finding.status) == (("image",), 2.0, Status.ONLINE)


def test_an_alternative_is_asked_only_while_a_fact_is_unknown() -> None:
    finding, rounds = play({"/red": ok(**{"is": "red"}), "/red2": ok(**{"is": "red"}), "/old": ok(v="0.9")}, port=1000)
    assert rounds[-1] == ("/old", "/queue") and finding.version == "0.9"
    assert not any("/note" in wanted for wanted in rounds)


def test_a_fact_counts_only_where_its_condition_holds() -> None:
    red = ok(**{"is": "red"}, v="1", gpu="RAM", type="cpu")
    finding, _ = play({"/red": red, "/red2": ok(**{"is": "red"})}, port=1000)
    assert "gpu" not in dict(finding.properties)


@pytest.mark.parametrize("value", [None, [], {}, "", "x" * 999, float("nan"), 2**80, True])
def test_odd_facts_are_made_safe(value: object) -> None:
    red = ok(**{"is": "red"}, v=value, gpu=value, bytes=value)
    finding, _ = play({"/red": red, "/red2": ok(**{"is": "red"}), "/queue": ok(n=value)}, port=1000)
    assert finding.kind == "red"
    assert finding.version is None or len(finding.version) <= 40
    assert all(isinstance(v, bool | int | str) for _, v in finding.properties)


@pytest.mark.parametrize(("queue", "state"), [(4, Status.ONLINE), (5, Status.BUSY), ("many", Status.ONLINE)])
def test_a_long_queue_is_busy(queue: object, state: Status) -> None:
    finding, _ = play({"/red": ok(**{"is": "red"}), "/red2": ok(**{"is": "red"}), "/queue": ok(n=queue)}, port=1000)
    assert finding.status is state


def test_a_proof_shows_a_status() -> None:
    finding, _ = play({"/blue": (503, {"is": "loading"})})
    assert (finding.kind, finding.status) == ("blue", Status.STARTING)


def test_a_program_beats_the_framework_it_is_built_on() -> None:
    finding, rounds = play({"/frame": ok(**{"is": "frame"}), "/built": ok(**{"is": "built"})})
    assert finding.kind == "built" and finding.family == "f"
    assert len(rounds) <= 3


def test_once_a_framework_is_proven_only_what_is_under_way_is_pursued() -> None:
    finding, rounds = play({"/frame": ok(**{"is": "frame"}), "/red": ok(**{"is": "red"})}, port=9)
    assert finding.kind == "frame"
    asked = [request for wanted in rounds for request in wanted]
    assert "/built" in asked and "/red2" in asked and "/wrap" not in asked


def test_what_is_expected_is_pursued_even_though_a_framework_is_proven() -> None:
    """A wrapper around a Gradio app, with a health endpoint of its own."""
    finding, _ = play({"/frame": ok(**{"is": "frame"}), "/wrap": ok(**{"is": "built"})}, port=3000)
    assert finding.kind == "built"


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (200, Status.ONLINE),
        (404, Status.ONLINE),
        (401, Status.LOCKED),
        (407, Status.LOCKED),
        (403, Status.LOCKED),
        (429, Status.BUSY),
        (503, Status.STARTING),
        (500, Status.STARTING),
        (502, Status.STARTING),
    ],
)
def test_the_status_of_a_server_that_says_nothing(code: int, state: Status) -> None:
    paths = ("/", "/red", "/blue", "/frame", "/wrap")
    finding, _ = play(dict.fromkeys(paths, (code, "")))
    assert (finding.kind, finding.status) == (None, state)


def test_a_server_that_fails_on_every_path_is_not_online_and_says_why() -> None:
    failing, _ = play(dict.fromkeys(("/", "/red", "/blue", "/frame", "/wrap"), (500, "")))
    assert (failing.status, failing.cause) == (Status.STARTING, "http-500")
    on_one_path, _ = play({"/red": (500, "")})
    assert (on_one_path.status, on_one_path.cause) == (Status.ONLINE, None)


def test_one_forbidden_path_among_others_is_no_lock() -> None:
    finding, _ = play({"/red": (403, "")})
    assert finding.status is Status.ONLINE


def test_no_answer_to_the_first_request_ends_it() -> None:
    finding, rounds = play({"/blue": (0, "")}, port=2000)
    assert rounds == [("/blue",)]
    assert (finding.status, finding.kind, finding.latency_ms) == (Status.UNREACHABLE, None, None)
    assert finding.cause == "refused" and not finding.alive


def test_two_answers_missing_in_a_row_end_it() -> None:
    answers: dict[str, tuple[int, object]] = {"/blue": (404, ""), "/red": (0, ""), "/frame": (0, ""), "/wrap": (0, "")}
    finding, rounds = play(answers, port=2000)
    assert len(rounds) == 2
    assert finding.kind is None and finding.status is Status.ONLINE


def test_few_requests_at_once() -> None:
    many = tuple(Kind(f"k{n}", "K", (), (Proof((says(f"/{n}", "x"),)),)) for n in range(20))
    assert len(Identification(many, 1).wanted()) == 6


def test_no_kinds_at_all() -> None:
    assert Identification((), 80).wanted() == ("/",)


def test_a_reply_may_come_back_in_any_order_or_unasked() -> None:
    identification = Identification(KINDS, 1000)
    identification.feed(read_json(Reply("/blue", 200, (), '{"is": "blue"}')))
    identification.feed(read_json(Reply("/nobody-asked", 200, (), "x")))
    assert identification.wanted() == ()
    assert identification.finding().kind == "blue"


# No server, however odd, may make it raise, ask twice or go on for ever.

ANSWER = st.tuples(
    st.sampled_from([0, 101, 200, 204, 301, 302, 400, 401, 403, 404, 405, 426, 429, 500, 503]),
    st.one_of(
        JSON.map(json.dumps),
        st.text(max_size=60),
        st.sampled_from(
            [
                '{"detail":"Not authenticated"}',
                '{"version":"3","components":[{"props":{"value":"Wan<SUP>GP</SUP> v1"}}],"dependencies":[]}',
                '{"version":"3","components":[],"dependencies":[],"title":"Stable Diffusion"}',
                '<script>window.gradio_config = {"auth_required": true};</script>',
                '{"result":"KoboldCpp","version":1}',
                '{"type":"status","data":{"sid":"x"}}',
                '{"service":"rvc","status":"busy","queue":"x"}',
                "Ollama is running",
            ]
        ),
    ),
    st.sampled_from([(), (("server", "llama.cpp"),), (("location", "/Text2Image"),)]),
)


def exhaust(identification: Identification, answer: Callable[[], tuple[int, str, tuple[tuple[str, str], ...]]]) -> None:
    asked: set[str] = set()
    while wanted := identification.wanted():
        assert not asked & set(wanted)
        asked |= set(wanted)
        for request in wanted:
            code, text, headers = answer()
            identification.feed(read_json(Reply(request, code, headers, text, None if code else "gone", 1.0)))
    assert len(asked) <= 40
    finding = identification.finding()
    assert (finding.status is Status.UNREACHABLE) == (finding.latency_ms is None)
    json.dumps(finding.properties).encode()


@settings(max_examples=300, deadline=None)
@given(
    st.data(),
    st.sampled_from([80, 4000, 7860, 7863, 7865, 8000, 8080, 8188, 9999]),
    st.none() | st.sampled_from(["comfyui", "wan2gp", "litellm", "rvc", "audioldm", "gradio", "nothing"]),
)
def test_any_server_whatever_it_answers(data: st.DataObject, port: int, claimed: str | None) -> None:
    exhaust(Identification(BUILTIN, port, claimed), lambda: data.draw(ANSWER))


@pytest.mark.parametrize(
    "piece", ["<title", "<title ", '<meta property="og:title" content="', "<meta ", "<html", '"\\']
)
def test_no_page_keeps_it_busy(piece: str) -> None:
    """A pattern that backtracks over a page of 1 MiB would run for minutes, and into the time limit of this test."""
    found = Identification(BUILTIN, 7860)
    page = piece * (2**20 // len(piece))
    while wanted := found.wanted():
        for request in wanted:
            found.feed(read_json(Reply(request, 200, (("content-type", "text/html"),), page)))
    assert found.finding().kind is None


def test_each_step_is_judged_once() -> None:
    """A pattern may take a twentieth of a second on a page of a megabyte, and is looked at after every reply."""
    judged: list[str] = []

    def holds(reply: Reply) -> bool:
        judged.append(reply.request)
        return True

    step = Step("/first", (Condition("counts", holds),))
    kinds = [Kind(f"k{n}", "K", (), (Proof((step, Step(f"/{n}", (status(200),)))),)) for n in range(5)]
    identification = Identification(kinds, 1)
    while wanted := identification.wanted():
        identification.feed(Reply(wanted[0], 404 if wanted[0] != "/first" else 200))
        identification.finding()
    assert judged == ["/first"]
