"""Which ports listen: every answer a kernel can give to a connect."""

from __future__ import annotations

import errno
import socket
import time
from contextlib import ExitStack

import pytest

from hybridisco.sources import knock, scan
from hybridisco.sources.scan import CONNECT_LOCAL_S, listening
from tests.lab.hostile import full_queue, reset_on_accept

LOOPBACK = "127.0.0.1"


def listener(stack: ExitStack, host: str = LOOPBACK) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return int(stack.enter_context(socket.create_server((host, 0), family=family)).getsockname()[1])


def closed_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("local", [True, False])
async def test_open_ports_are_found_in_the_given_order(local: bool) -> None:
    with ExitStack() as stack:
        first, second = listener(stack), listener(stack)
        targets = [(LOOPBACK, second), (LOOPBACK, closed_port()), (LOOPBACK, first)]
        assert await listening(targets, local=local) == [(LOOPBACK, second), (LOOPBACK, first)]
    assert await listening([], local=local) == []


@pytest.mark.parametrize("local", [True, False])
async def test_both_families(local: bool) -> None:
    with ExitStack() as stack:
        port = listener(stack, "::1")
        assert await listening([(LOOPBACK, port), ("::1", port)], local=local) == [("::1", port)]


async def test_a_zone_is_a_name_or_a_number_and_an_unknown_one_leads_nowhere() -> None:
    with ExitStack() as stack:
        port = listener(stack, "::1")
        index = socket.if_nametoindex("lo")
        targets = [("::1%lo", port), (f"::1%{index}", port), ("::1%nonsense0", port)]
        assert await listening(targets, local=True) == targets[:2]
        assert await listening(targets, local=False) == targets[:2]


async def test_many_ports_take_a_moment_even_when_almost_all_are_closed() -> None:
    with ExitStack() as stack:
        port = listener(stack)
        targets = [(LOOPBACK, number) for number in (port, *range(20000, 22000))]
        started = time.monotonic()
        found = await listening(targets, local=True)
        assert time.monotonic() - started < 1.0
        assert (LOOPBACK, port) in found


async def test_a_full_accept_queue_costs_the_local_limit_once_for_all() -> None:
    async with full_queue() as one, full_queue() as two:
        with ExitStack() as stack:
            port = listener(stack)
            started = time.monotonic()
            assert await listening([(LOOPBACK, one), (LOOPBACK, port), (LOOPBACK, two)], local=True) == [
                (LOOPBACK, port)
            ]
            assert CONNECT_LOCAL_S * 0.9 < time.monotonic() - started < CONNECT_LOCAL_S + 0.75


async def test_who_accepts_and_resets_listens() -> None:
    async with reset_on_accept() as port:
        assert await listening([(LOOPBACK, port)], local=True) == [(LOOPBACK, port)]
        assert await listening([(LOOPBACK, port)], local=False) == [(LOOPBACK, port)]


async def test_a_machine_without_ipv6_has_no_ipv6_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket

    def only_ipv4(family: int, kind: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return real(family, kind)

    monkeypatch.setattr(knock.socket, "socket", only_ipv4)  # the machine's own fault: there is no fake of a kernel
    with ExitStack() as stack:
        port = listener(stack)
        for local in (True, False):
            assert await listening([("::1", port), (LOOPBACK, port)], local=local) == [(LOOPBACK, port)]


async def test_an_unroutable_address_is_closed() -> None:
    assert await listening([("203.0.113.1", 80), ("fe80::1%lo", 80)], local=False) == []


async def test_where_there_are_few_descriptors_it_waits_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else an open port would be taken for a closed one, and a backend be missed."""
    real, refused = socket.socket, 0

    def few(family: int, kind: int) -> socket.socket:
        nonlocal refused
        refused += 1
        if refused % 3:
            raise OSError(errno.EMFILE, "Too many open files")
        return real(family, kind)

    with ExitStack() as stack:
        targets = [(LOOPBACK, listener(stack)), ("::1", listener(stack, "::1")), (LOOPBACK, closed_port())]
        monkeypatch.setattr(knock.socket, "socket", few)
        for local in (True, False):
            assert await listening(targets, local=local) == targets[:2]


async def test_where_there_are_none_it_says_once_what_to_do(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none(family: int, kind: int) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(knock.socket, "socket", none)
    monkeypatch.setattr(scan, "_AGAIN_S", 0.001)
    monkeypatch.setattr(scan, "_told", set())
    for _ in range(2):
        assert await listening([(LOOPBACK, port) for port in range(1, 4)], local=True) == []
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "ulimit -n 4096" in warnings[0]
