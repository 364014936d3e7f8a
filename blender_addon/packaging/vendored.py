"""The packages that become submodules of the extension: which of their files, and their licences.

hybridisco is taken from the working tree, the others from their downloaded archives. Only Python is taken; an archive
that holds compiled code is refused, since one zip serves every system.
"""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from blender_addon.packaging.contents import LEFT_OUT, LICENSES, VENDOR, Tree
from blender_addon.packaging.errors import BuildError
from blender_addon.packaging.imports import made_relative
from blender_addon.packaging.patches import PATCHES, Patch, patched

_INIT = b'"""Copies of packages, private to this extension. What they are: see the folder licenses."""\n'
_TAKEN = frozenset({".py", ".typed"})
_PASSED_OVER = frozenset({".pxd"})  # only Cython reads it
_LICENSE_NAMES = ("COPYING", "LICENSE", "LICENSE.txt")
# LGPL 2.1, section 2 b: a changed file says so, and when. At its end, so that the numbers of lines stay true.
_NOTICE = b"\n# Changed in 2026 for the Blender extension Hybridisco, see licenses/README.txt.\n"


@dataclass(frozen=True, slots=True)
class Vendored:
    """What goes into ``vendor/`` and ``licenses/``, and which modules (dotted, from the root) were left out."""

    files: Tree
    left_out: Set[str]


def vendored(root: Path, archives: Sequence[Path], patches: tuple[Patch, ...] = PATCHES) -> Vendored:
    """Return what is vendored, with its imports made relative.

    :param root: the repository, for hybridisco and its licence.
    :param archives: source archives or wheels, each named after its package.
    :raises BuildError: an archive is not as expected, or an import cannot be made relative.
    """
    every = _all_of_hybridisco(root / "hybridisco")
    ours = {place: content for place, content in every.items() if not _is_left_out(place)}
    files = {f"{VENDOR}/__init__.py": _INIT, **_relative(ours)}
    files[f"{LICENSES}/hybridisco.txt"] = _read(root / "LICENSE")
    theirs: Tree = {}
    for archive in archives:
        name = _name_and_version(archive)[0]
        members = _members(archive)
        theirs |= _package(members, name, archive)
        files[f"{LICENSES}/{name}.txt"] = _license(members, name, archive)
    made = _relative(patched(theirs, patches))
    changed = sorted(place for place in theirs if made[place] != theirs[place])
    files |= made | {place: made[place] + _NOTICE for place in changed}
    files[f"{LICENSES}/README.txt"] = _readme(archives, changed, patches)
    return Vendored(files, frozenset(_module(place) for place in every.keys() - ours.keys()))


def _relative(tree: Tree) -> Tree:
    return {place: made_relative(text, place) if place.endswith(".py") else text for place, text in tree.items()}


# -- hybridisco -------------------------------------------------------------------------------------------


def _all_of_hybridisco(folder: Path) -> Tree:
    files = (file for file in folder.rglob("*") if file.suffix in _TAKEN)
    tree = {f"{VENDOR}/hybridisco/{file.relative_to(folder).as_posix()}": file.read_bytes() for file in files}
    if f"{VENDOR}/hybridisco/__init__.py" not in tree:
        raise BuildError(f"There is no package hybridisco in {folder.parent}. Build from within the repository.")
    return tree


def _is_left_out(place: str) -> bool:
    return place.split("/")[2].removesuffix(".py") in LEFT_OUT


def _module(place: str) -> str:
    return place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BuildError(f"{file} cannot be read: {error.strerror}. The zip has to hold that licence.") from None


# -- the others -------------------------------------------------------------------------------------------


def _name_and_version(archive: Path) -> tuple[str, str]:
    name, version = archive.name.removesuffix(".tar.gz").split("-")[:2]
    return name, version


def _members(archive: Path) -> Tree:
    """Return the files of a source archive or a wheel."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/")}
    with tarfile.open(archive) as sources:
        files = [member for member in sources.getmembers() if member.isfile()]
        return {member.name: stream.read() for member in files if (stream := sources.extractfile(member))}


def _package(members: Tree, name: str, archive: Path) -> Tree:
    """Return the files of a package, wherever in the archive it lies. :raises BuildError: not all are Python."""
    inits = [place for place in members if f"/{place}".endswith(f"/{name}/__init__.py")]
    if not inits:
        raise BuildError(f"{archive.name} holds no package {name}. Is it pinned rightly in vendored.txt?")
    folder = min(inits, key=len).removesuffix("__init__.py")
    inside = {place.removeprefix(folder): content for place, content in members.items() if place.startswith(folder)}
    if strange := sorted(place for place in inside if PurePosixPath(place).suffix not in _TAKEN | _PASSED_OVER):
        raise BuildError(
            f"{archive.name} holds {strange[0]}, which is no Python source. One zip serves every system: take an "
            "archive without compiled code; a new kind of file that is needed goes into vendored.py."
        )
    return {f"{VENDOR}/{name}/{place}": content for place, content in inside.items() if _is_wanted(place)}


def _is_wanted(place: str) -> bool:
    path = PurePosixPath(place)
    return path.suffix in _TAKEN and not path.name.startswith("test_")


def _license(members: Tree, name: str, archive: Path) -> bytes:
    """Return the licence's text. :raises BuildError: there is none."""
    texts = [place for place in members if place.rpartition("/")[2] in _LICENSE_NAMES]
    if not texts:
        raise BuildError(f"{archive.name} holds no licence of {name}, and the zip has to. Add its name in vendored.py.")
    return members[min(texts, key=len)]


def _readme(archives: Iterable[Path], changed: Iterable[str], patches: Iterable[Patch]) -> bytes:
    """Say what lies in vendor/ and what was changed in it, as the licences ask."""

    def lines() -> Iterator[str]:
        yield "The folder vendor holds copies of these packages; their licences lie beside this file."
        yield ""
        yield "  hybridisco"
        yield from (f"  {' '.join(_name_and_version(archive))}" for archive in sorted(archives))
        yield ""
        yield "Left out of the copies: tests, what only a compiler reads, and of hybridisco the command line, the text"
        yield "formats and the mock backends. Absolute imports of these packages were made relative, which changed,"
        yield "besides hybridisco's, these files:"
        yield ""
        yield from (f"  {place}" for place in changed)
        yield ""
        yield "Changed besides:"
        yield ""
        yield from (f"  {patch.place}: {patch.why}" for patch in patches)
        yield ""
        yield "All else is licensed as the file LICENSE says, but for the wheels, which bring their licences."

    return "".join(f"{line}\n" for line in lines()).encode()
