"""``python -m blender_addon.packaging [build|repo]``, from the repository's root."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from blender_addon.packaging import blender_tool, repository
from blender_addon.packaging.build import build
from blender_addon.packaging.contents import ROOT
from blender_addon.packaging.downloads import downloads
from blender_addon.packaging.errors import BuildError


@click.command()
@click.argument("what", type=click.Choice(["build", "repo"]), default="build")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=ROOT / "dist", help="Folder for it.")
@click.option("--no-blender-check", is_flag=True, help="Do without Blender's own validation (build only).")
def main(what: str, out: Path, no_blender_check: bool) -> None:
    """Build the Blender extension, or a repository with it in.

    What is downloaded is kept in build/addon, so that the next build needs no network. Blender's own tool is taken from
    $BLENDER_EXT, or looked for in and kept under $HYBRIDISCO_TEST_CACHE (~/.cache/hybridisco-tests when not set).
    """
    try:
        built = build(ROOT, out, downloads(ROOT / "build" / "addon"))
        click.echo(f"{built.file}  {built.size / 1e6:.2f} MB  sha256 {built.sha256}")
        if no_blender_check and what == "build":
            return
        tool = blender_tool.find(blender_tool.cache_folder())
        blender_tool.validate(tool, built.file)
        click.echo("Blender's own tool has nothing against it.")
        if what == "repo":
            repository.make(built.file, out / "addon-repo", tool)
            click.echo(f"{out / 'addon-repo'}\n{repository.HOW_TO}", nl=False)
    except BuildError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
