"""Whole programs in a lab host, timed from their start to their end."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from bench.measure import Contender, Sample
from tests.lab.host import REPOSITORY
from tests.lab.net import Host, LabError

_LIMIT_S = 600.0


def program(
    host: Host,
    *commands: Sequence[str],
    env: Mapping[str, str] | None = None,
    read: Callable[[str], Sample] = lambda _: {},
    fine: Sequence[int] = (0,),
) -> Contender:
    """Return a contender that runs ``commands`` one after the other; their times add up.

    The program is started in the host's network by this very process: no ``ip netns exec`` is in the time.

    :param read: what else the output of the last tells.
    :param fine: exit statuses that are no failure.
    """
    environment = host.environment(env)

    def measure() -> Sample:
        took = cpu = 0.0
        output = ""
        for argv in commands:
            with host.entered():
                before = os.times()
                began = time.perf_counter()
                done = subprocess.run(
                    list(argv), capture_output=True, text=True, env=environment, cwd=REPOSITORY, timeout=_LIMIT_S
                )
                took += time.perf_counter() - began
                after = os.times()
            if done.returncode not in fine:
                raise LabError(f"{argv} ended with {done.returncode}:\n{done.stdout[-1000:]}\n{done.stderr[-1000:]}")
            cpu += after.children_user + after.children_system - before.children_user - before.children_system
            output = done.stdout
        return {"ms": took * 1000, "cpu_ms": cpu * 1000, **read(output)}

    return measure
