"""The properties that Blender keeps in the user's preferences."""

# Blender reads the annotations of properties: they must not be postponed by `from __future__ import annotations`.

from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, FloatProperty, StringProperty

from . import session


def _changed(_: object, __: object) -> None:
    session.current().note_settings_changed()


class HYBRIDISCO_PG_kind(bpy.types.PropertyGroup):
    """A kind of backend: where it is looked for, and how one of the user's own is recognised."""

    if TYPE_CHECKING:
        kind_id: str
        title: str
        ports: str
        health: str
        is_custom: bool
        proof_path: str
        proof_has: str
        proof_body: str
    else:
        kind_id: StringProperty(
            name="Id",
            description="Lower-case letters, digits and hyphens; what scripts and announcements call this kind",
            update=_changed,
        )
        title: StringProperty(name="Name", description="What people call it", update=_changed)
        ports: StringProperty(
            name="Ports",
            description="Where it usually listens, likeliest first, with commas. Empty for the usual ones",
            update=_changed,
        )
        health: StringProperty(
            name="Health path",
            description="A wrapper's own endpoint that answers with JSON naming the service, such as /healthz",
            update=_changed,
        )
        is_custom: BoolProperty(name="Custom", options={"HIDDEN"})
        proof_path: StringProperty(
            name="Path", description="The page that tells it from others, such as /api/about", update=_changed
        )
        proof_has: StringProperty(
            name="JSON has",
            description="Values that the page's JSON has, with commas: version, models.0.name",
            update=_changed,
        )
        proof_body: StringProperty(name="Text contains", description="Words that stand in the page", update=_changed)


class HYBRIDISCO_PG_manual(bpy.types.PropertyGroup):
    """A service that the user wrote down."""

    if TYPE_CHECKING:
        url: str
        kind: str
        title: str
    else:
        url: StringProperty(
            name="URL", description="Where it is: http://gpu-box:8188, or an address with a port", update=_changed
        )
        kind: StringProperty(name="Kind", description="Its kind; empty to find out by asking it", update=_changed)
        title: StringProperty(name="Name", description="What you call it; may be empty", update=_changed)


class HYBRIDISCO_PG_ignored(bpy.types.PropertyGroup):
    """A service that is kept out of the list."""

    if TYPE_CHECKING:
        service_id: str
        title: str
    else:
        service_id: StringProperty(name="Id", description="The id of the service that is ignored")
        title: StringProperty(name="Name", description="What it was called")


class HYBRIDISCO_PG_chosen(bpy.types.PropertyGroup):
    """The service that is used for a kind."""

    if TYPE_CHECKING:
        kind: str
        service_id: str
        title: str
        url: str
    else:
        kind: StringProperty(name="Kind", description="The kind that it is used for")
        service_id: StringProperty(name="Id", description="The id of the service, by which it is followed")
        title: StringProperty(name="Name", description="What it was called when it was last seen")
        url: StringProperty(name="URL", description="Where it was when it was last seen")


class HYBRIDISCO_PG_service(bpy.types.PropertyGroup):
    """A service that was found: a row of the list, and what is known of it at the next start."""

    if TYPE_CHECKING:
        service_id: str
        kind: str
        title: str
        host: str
        url: str
        status: str
        version: str
        sources: str
        last_seen: str
        last_known: bool
    else:
        service_id: StringProperty(name="Id", description="Stays the same when the address changes")
        kind: StringProperty(name="Kind", description="What it is: comfyui, litellm, …")
        title: StringProperty(name="Name", description="What it is called")
        host: StringProperty(name="Host", description="The machine that it runs on")
        url: StringProperty(name="URL", description="Where it is")
        status: StringProperty(name="Status", description="What is known of it now: online, busy, unreachable, …")
        version: StringProperty(name="Version", description="The version that it tells")
        sources: StringProperty(name="Sources", description="How it was found: mdns, probe, manual")
        # A float property has 32 bits, which are too few for seconds since 1970.
        last_seen: StringProperty(name="Last seen", description="When it last answered, in seconds since 1970")
        last_known: BoolProperty(
            name="Last known", description="It is known from before, and has not been checked since Blender started"
        )


def seconds(name: str, description: str, default: float, low: float, high: float) -> Any:
    """Return a property of seconds within the bounds that the library's settings have."""
    return FloatProperty(
        name=name,
        description=description,
        default=default,
        min=low,
        max=high,
        step=50,
        precision=1,
        subtype="TIME_ABSOLUTE",
        update=_changed,
    )


CLASSES = (
    HYBRIDISCO_PG_kind,
    HYBRIDISCO_PG_manual,
    HYBRIDISCO_PG_ignored,
    HYBRIDISCO_PG_chosen,
    HYBRIDISCO_PG_service,
)
