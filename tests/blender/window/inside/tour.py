"""Through everything that a user sees, a picture of each."""

from __future__ import annotations

from pathlib import Path

import addon_utils
import bpy
import screen
import stage


def tour() -> screen.Steps:
    (archive,) = screen.arguments()
    bpy.context.preferences.view.ui_scale = 1.0
    stage.install(archive)
    stage.enable()
    stage.preferences().discover_at_start = False  # here a click begins it
    yield from screen.open_sidebar()
    yield from screen.picture("offline.png")

    stage.allow_online()
    yield from screen.click("movie_director.discover_services")
    # Nothing is there yet: the search ends, and says so.
    yield searched
    stage.tell("nothing", rows=stage.rows())
    yield from screen.picture("nothing.png")

    yield lambda: Path("/work/go").exists()  # the test starts the backends
    yield from screen.click("movie_director.discover_services")
    wanted = {"comfyui", "wan2gp", "litellm", "rvc", "audioldm"}
    yield lambda: wanted <= {row["kind"] for row in stage.rows() if row["status"] == "online"}
    yield searched
    select("comfyui")
    row = stage.online("comfyui")
    assert row is not None
    bpy.ops.hybridisco.use_service(service_id=row["service_id"])
    yield from move_away()
    stage.tell("found", rows=stage.rows(), chosen=stage.chosen())
    yield from screen.picture("panel.png")

    bpy.ops.hybridisco.add_service(url="http://10.77.0.1:9999", kind="wan2gp", title="Wan2GP in the attic")
    yield lambda: searched() and [row for row in stage.rows() if row["status"] == "unreachable"]
    select_status("unreachable")
    stage.tell("unreachable", rows=stage.rows())
    yield from screen.picture("unreachable.png")

    # The test gives the GPU box another key.
    yield lambda: [row for row in stage.rows() if row["status"] == "untrusted"]
    select_status("untrusted")
    liar = stage.session().active()
    yield lambda: stage.session().key_changes(liar)
    yield from screen.picture("untrusted.png")
    yield from screen.move(500, 500)  # the dialog opens there
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=screen.viewport()):
        bpy.ops.hybridisco.accept_key("INVOKE_DEFAULT", service_id=liar.id)
    yield from screen.picture("accept.png")
    stage.tell("asked", status=liar.status, selected=stage.api().selected("comfyui"))
    yield from screen.xdotool("key", "Escape")
    assert stage.session().key_changes(liar), "Escape accepts nothing"
    bpy.ops.hybridisco.accept_key(service_id=liar.id)
    yield lambda: stage.online("comfyui")
    active = stage.session().active()
    stage.tell("accepted", active=active.id, selected=stage.api().selected("comfyui").id, rows=stage.rows())

    stage.preferences().discover_at_start = True  # as it is for everybody else
    show_preferences()
    yield screen.DRAWN_S
    yield from screen.picture("preferences.png")

    stage.preferences().discover_at_start = True
    stage.save_preferences()
    stage.tell("saved", rows=stage.rows())


def searched() -> bool:
    """Whether the search is complete, and what changes is followed."""
    return stage.session().follower.view.phase.name == "FOLLOWING"


def select(kind: str) -> None:
    numbers = [number for number, row in enumerate(stage.rows()) if row["kind"] == kind]
    stage.preferences().active_index = numbers[0]
    screen.redraw()


def select_status(status: str) -> None:
    numbers = [number for number, row in enumerate(stage.rows()) if row["status"] == status]
    stage.preferences().active_index = numbers[0]
    screen.redraw()


def move_away() -> screen.Steps:
    """Take the mouse off the buttons, so that no tooltip is in the picture."""
    yield from screen.move(300, 300)


def show_preferences() -> None:
    """Turn the viewport into the preferences, at our extension, unfolded."""
    screen.viewport().ui_type = "PREFERENCES"
    bpy.context.preferences.active_section = "ADDONS"
    manager = bpy.context.window_manager
    manager.addon_search = "Hybridisco"
    for module in addon_utils.modules():
        if module.__name__ == stage.OURS:
            addon_utils.module_bl_info(module)["show_expanded"] = True
    screen.redraw()


screen.act(tour())
