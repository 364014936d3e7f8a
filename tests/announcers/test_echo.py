"""The doctor's question: what counts as one, what is answered, and how often."""

from __future__ import annotations

import pytest

from announcers import echo
from announcers.echo import Limit
from hybridisco import SERVICE_TYPE, __version__

NAME = f"0123456789abcdef._echo.{SERVICE_TYPE}"


@pytest.mark.parametrize("name", [NAME, NAME.upper(), NAME.replace("_echo", "_Echo")])
def test_a_question_of_the_doctor(name: str) -> None:
    assert echo.is_question(name)


@pytest.mark.parametrize(
    "name",
    [SERVICE_TYPE, f"x{NAME}", NAME[1:], NAME[:-1], f"{NAME}x", NAME.replace("_echo", "_other"), f"a.{NAME}", "",
     NAME.replace("0", "g"), NAME.replace("._tcp", "x_tcp"), f"{NAME}\n"],
)  # fmt: skip
def test_any_other_question_is_none(name: str) -> None:
    assert not echo.is_question(name)


def strings(data: bytes) -> list[str]:
    """Read TXT data as another program does (RFC 6763 section 6.1)."""
    found = []
    while data:
        length, data = data[0], data[1:]
        assert len(data) >= length, "it is cut off"
        found.append(data[:length].decode("utf-8", "replace"))
        data = data[length:]
    return found


def test_an_answer_says_which_way_it_came_and_who_says_it() -> None:
    said = strings(echo.answer("multicast", "10.77.0.2", "gpu-box"))
    assert said == ["via=multicast", "heard=10.77.0.2", "host=gpu-box", f"ver={__version__}"]


@pytest.mark.parametrize("host", ["h" * 400, "ü" * 200])
def test_an_answer_can_be_read_whatever_the_host_is_called(host: str) -> None:
    said = strings(echo.answer("unicast", "fe80::2", host))
    assert len(said) == 4
    assert said[2].startswith("host=") and said[3] == f"ver={__version__}"


def test_ten_in_a_second_are_answered_and_no_more() -> None:
    limit = Limit()
    assert [limit.allows(7.0 + n / 100) for n in range(15)] == [True] * 10 + [False] * 5
    assert limit.allows(8.0), "the next second is a new one"
    assert [limit.allows(8.9) for _ in range(10)] == [True] * 9 + [False]
