"""What all tests share: a network of their own.

Tests take the ports where real backends live (8188, 7860 …) and speak mDNS. As root the whole run therefore happens
in a network namespace with nothing but a loopback interface: a ComfyUI that runs on this machine does not disturb it,
and no packet leaves. Without root the tests share the machine's loopback, and those that need a LAN are skipped.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys

from tests.lab.netns import CLONE_NEWNET


def pytest_configure() -> None:
    """Leave the machine's network before anything opens a socket."""
    # Whoever starts us in the background ignores Ctrl-C for us and all that we start; some tests press it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
        return
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        return  # a container without the right to: as without root
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
