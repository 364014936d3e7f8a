"""A Debian with a whole Blender and an X server: ``python -m tests.blender.rig.chroot`` makes it.

Blender from PyPI has no window, so what a user sees is tested with the Blender of Debian 13. It lives in a folder of
the cache, and is entered in a mount namespace of its own: the kernel undoes every mount when the last process ends,
whatever it died of, so no mount is ever left that a removal could run into.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from .cache import SetupError, cache, call, digest, is_stamped, one_at_a_time, put_stamp, tell

SUITE = "trixie"
PACKAGES = (
    *("blender", "xvfb", "xauth", "xdotool", "libgl1-mesa-dri", "libegl-mesa0", "libglx-mesa0"),
    *("python3", "procps", "imagemagick", "x11-apps"),
)
_TRIES = 2
_LIMIT_S = 480.0  # 100 s from a mirror that is near; 600 MB
_PREPARED = digest(SUITE, *PACKAGES)

# Runs as the first process of a process and mount namespace: what it starts ends with it.
_ENTER = """\
set -e
root=$1; shift
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs -o size=2g tmpfs "$root/tmp"
mkdir -m 1777 "$root/tmp/.X11-unix"
while [ "$1" != -- ]; do
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    shift 2
done
shift
exec chroot "$root" "$@"
"""
_UNSHARE = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child")


def folder() -> Path:
    """Where it is."""
    return cache() / SUITE


def is_ready() -> bool:
    """Whether it is there and complete."""
    return is_stamped(folder(), _PREPARED)


def missing() -> str | None:
    """Why there is none, or None when there is one."""
    return None if is_ready() else _obstacle() or "run: python -m tests.blender.rig.chroot"


def command(argv: Sequence[str], *, shared: Mapping[Path, str], env: Mapping[str, str]) -> list[str]:
    """``argv`` wrapped so that it runs inside, in the caller's network; ``shared`` folders are seen by other names."""
    binds = [part for here, there in shared.items() for part in (str(here), there)]
    variables = [f"{key}={value}" for key, value in {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **env}.items()]
    inside = ["/usr/bin/env", "-i", *variables, *argv]
    return [*_UNSHARE, "sh", "-c", _ENTER, "sh", str(folder()), *binds, "--", *inside]


def make() -> None:
    """Make it anew.

    :raises SetupError: that cannot be done here.
    """
    if obstacle := _obstacle():
        raise SetupError(obstacle)
    end = time.monotonic() + _LIMIT_S
    _remove()
    folder().mkdir(parents=True)
    mirror = _mirror()
    _debootstrap(mirror, end)
    Path(folder(), "etc/apt/sources.list").write_text(f"deb {mirror} {SUITE} main\n", encoding="ascii")
    Path(folder(), "etc/apt/apt.conf.d/90machine").write_text(_apt_settings(), encoding="utf-8")
    shutil.copy("/etc/resolv.conf", folder() / "etc/resolv.conf")
    options = ["-qq", "-o", "Acquire::Retries=5", "-o", "Acquire::http::Timeout=60", "-o", "Dpkg::Use-Pty=0"]
    _inside(["apt-get", *options, "update"], end)
    _inside(["apt-get", *options, "install", "--yes", "--no-install-recommends", *PACKAGES], end)
    _inside(["apt-get", "clean"], end)
    _inside(["blender", "--background", "--version"], end)
    put_stamp(folder(), _PREPARED)


def main() -> int:
    """Make it unless it is there; say what is done, or why it is not."""
    with one_at_a_time(SUITE):
        if is_ready():
            tell(f"{SUITE}: already there")
            return 0
        tell(f"{SUITE}: installing {PACKAGES[0]} and an X server in a folder of its own …")
        started = time.monotonic()
        try:
            make()
        except SetupError as error:
            tell(f"{SUITE}: not made, so Blender's window is not tested here: {error}")
            return 0
        tell(f"{SUITE}: made in {time.monotonic() - started:.0f} s")
    return 0


def _debootstrap(mirror: str, end: float) -> None:
    """Lay the base system; once more when the mirror stumbled."""
    for attempt in range(1, _TRIES + 1):
        try:
            command = ["debootstrap", "--variant=minbase", SUITE, str(folder()), mirror]
            call([*_UNSHARE, *command], end - time.monotonic())
            return
        except SetupError as error:
            if attempt == _TRIES or time.monotonic() > end:
                raise
            tell(f"{SUITE}: {error}\n{SUITE}: trying once more")
            _remove()
            folder().mkdir()


def _inside(argv: Sequence[str], end: float) -> None:
    call(command(argv, shared={}, env={"DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}), end - time.monotonic())


def _obstacle() -> str | None:
    """Why none can be made here."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a Debian in a folder needs Linux and root"
    for program in ("debootstrap", "unshare", "apt-get"):
        if shutil.which(program) is None:
            return f"the program {program} is not installed"
    if subprocess.run([*_UNSHARE, "true"], capture_output=True).returncode:
        return "this machine does not allow mount namespaces"
    return None


def _mirror() -> str:
    """Where this machine gets its own Debian packages from."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Label: Debian", "Created-By: Packages"]
    found = subprocess.run(asked, capture_output=True, text=True).stdout.split()
    if not found:
        raise SetupError("this machine knows no mirror of Debian (apt-get indextargets lists none)")
    return found[0]


def _apt_settings() -> str:
    """How this machine reaches its mirror: proxies, certificates, what it does with old dates."""
    lines = subprocess.run(["apt-config", "dump"], capture_output=True, text=True).stdout.splitlines()
    wanted = ("Acquire::http", "Acquire::https", "Acquire::Check-")
    return "".join(f"{line}\n" for line in lines if line.startswith(wanted))


def _remove() -> None:
    """Remove what is there, unless something is mounted in it: that would be lost with it."""
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    inside = [line.split()[4] for line in mounts if line.split()[4].startswith(f"{folder()}/")]
    if inside:
        raise SetupError(f"something is mounted in the old one: {', '.join(inside)}. Unmount it first")
    if folder().exists():
        shutil.rmtree(folder())


if __name__ == "__main__":
    sys.exit(main())
