"""What answers but does not tell what it is, is not passed over in silence."""

from __future__ import annotations

from blender_addon.logic.undecided import undecided
from hybridisco import Endpoint, Service, SourceName, Status
from tests.formats.samples import service


def nameless(port: int, status: Status) -> Service:
    return service(
        id=f"http@localhost:{port}",
        kind="http",
        endpoints=(Endpoint("127.0.0.1", port),),
        status=status,
        sources=(SourceName.PROBE,),
    )


def test_a_login_and_a_start_are_told() -> None:
    found = [nameless(4000, Status.LOCKED), nameless(8188, Status.STARTING), nameless(8080, Status.ONLINE), service()]
    assert undecided(found, ()) == (
        "http://127.0.0.1:4000 wants a login; what it is cannot be told without.",
        "http://127.0.0.1:8188 is not ready yet; what it is cannot be told so far.",
    )
    assert undecided(found, {"http@localhost:4000", "http@localhost:8188"}) == ()


def test_many_are_counted() -> None:
    lines = undecided([nameless(port, Status.LOCKED) for port in range(9000, 9007)], ())
    assert len(lines) == 4 and lines[-1] == "The same is true of 4 more."
