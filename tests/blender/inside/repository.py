"""Somebody adds our extension repository to Blender, and installs from there."""

from __future__ import annotations

from pathlib import Path

import bpy
from stage import allow_online, enable, enabled, play, tell


def repository(index: str) -> None:
    allow_online()  # Blender itself asks for it, for a folder of this machine too
    repos = bpy.context.preferences.extensions.repos
    repo = repos.new(name="Hybridisco", module="hybridisco_repo", remote_url=Path(index).as_uri())
    number = list(repos).index(repo)
    bpy.ops.extensions.repo_sync(repo_index=number)
    bpy.ops.extensions.package_install(repo_index=number, pkg_id="hybridisco", enable_on_install=False)
    folder = Path(repo.directory, "hybridisco")
    tell("installed", files=sorted(path.name for path in folder.glob("*")))
    enable("bl_ext.hybridisco_repo.hybridisco")
    tell("enabled", enabled=enabled(), operator=bpy.ops.movie_director.discover_services.idname())


play(repository)
