"""The extension's preferences: what is stored, and the page that shows it."""

# Blender reads the annotations of properties: they must not be postponed by `from __future__ import annotations`.

import zlib
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, IntProperty, StringProperty

from . import properties, session
from .logic import listing
from .logic.details import STATUS_WORDS
from .logic.icons import STATUS_ICONS, kind_icon
from .logic.settings import MAIN_KINDS
from .preferences_page import draw_page

_EnumItem = tuple[str, str, str, str, int]

_kind_items: dict[str, list[_EnumItem]] = {}  # Blender needs the texts to stay where they are


def _changed(_: object, __: object) -> None:
    session.current().note_settings_changed()


def _draft_changed(prefs: Any, _: object) -> None:
    prefs.draft_message = ""  # it was about what stood there before


def _kinds(none: tuple[str, str], icon: str) -> list[_EnumItem]:
    """Return every kind as a choice, after one for no kind. A kind keeps its number when others come or go."""
    items = [("ANY", *none, icon, 0)]
    every = sorted(session.current().config.kinds, key=lambda kind: kind.title.casefold())
    for kind in sorted(every, key=lambda kind: kind.id not in MAIN_KINDS):
        number = zlib.crc32(kind.id.encode()) & 0x7FFFFFFF or 1
        items.append((kind.id, kind.title, kind.homepage, kind_icon(kind.id, kind.capabilities), number))
    if _kind_items.get(none[0]) != items:
        _kind_items[none[0]] = items
    return _kind_items[none[0]]


def _filter_kinds(_: object, __: object) -> list[_EnumItem]:
    return _kinds(("All Kinds", "Show every kind of backend"), "PLUGIN")


def _draft_kinds(_: object, __: object) -> list[_EnumItem]:
    return _kinds(("Ask the Service", "Ask the service itself what it is"), "VIEWZOOM")


_STATUS_ITEMS = [
    (listing.ANY, "Any Status", "Show services whatever their status", "FILTER", 0),
    *(
        (status.value, STATUS_WORDS[status], "Show only services with this status", icon, number)
        for number, (status, icon) in enumerate(STATUS_ICONS.items(), 1)
    ),
]
_SORT_ITEMS = [
    (listing.NAME, "Name", "By name", "SORTALPHA", 0),
    (listing.STATUS, "Status", "The most useful first", "CHECKMARK", 1),
    (listing.KIND, "Kind", "By kind", "NODETREE", 2),
    (listing.LATENCY, "Latency", "The quickest first", "SORTTIME", 3),
    (listing.HOST, "Host", "By machine", "DESKTOP", 4),
]


class HybridiscoPreferences(bpy.types.AddonPreferences):
    """Everything that is kept."""

    bl_idname = __package__ or ""

    if TYPE_CHECKING:
        use_mdns: bool
        use_probe: bool
        use_manual: bool
        hosts: str
        ports: str
        timeout_s: float
        probe_timeout_s: float
        rescan_s: float
        discover_at_start: bool
        kinds: Any
        manual: Any
        ignored: Any
        chosen: Any
        discovered: Any
        active_index: int
        search: str
        filter_kind: str
        filter_status: str
        sort_by: str
        sort_reverse: bool
        draft_url: str
        draft_kind: str
        draft_title: str
        draft_message: str
    else:
        use_mdns: BoolProperty(
            name="mDNS",
            description="Listen for backends that announce themselves on your networks (DNS-SD)",
            default=True,
            update=_changed,
        )
        use_probe: BoolProperty(
            name="Port Probe",
            description="Look at the ports of this machine, and of the hosts named below, for backends that announce "
            "nothing",
            default=True,
            update=_changed,
        )
        use_manual: BoolProperty(
            name="Manual Entries",
            description="Show and check the services that you have written down",
            default=True,
            update=_changed,
        )
        hosts: StringProperty(
            name="Hosts",
            description="Machines whose ports are looked at, by name or address, with commas: localhost, gpu-box. Only "
            "these are: a network is never scanned unasked",
            default="localhost",
            update=_changed,
        )
        ports: StringProperty(
            name="Ports",
            description="Ports that are looked at besides the usual ones of every kind, with commas: 8000-8200, 9000",
            default="8000-8200",
            update=_changed,
        )
        timeout_s: properties.seconds(
            "Scripts Wait", "A script that waits for a search waits for this long at most, in seconds", 5.0, 0.1, 600
        )
        probe_timeout_s: properties.seconds(
            "Wait for an Answer",
            "A service that takes longer than this to answer counts as silent, in seconds",
            5.0,
            0.1,
            5,
        )
        rescan_s: properties.seconds("Look Again Every", "Seconds from one look at all ports to the next", 5.0, 1, 3600)
        discover_at_start: BoolProperty(
            name="Discover at Start",
            description="Begin to search when Blender starts; otherwise the Discover button begins it",
            default=True,
        )
        kinds: CollectionProperty(type=properties.HYBRIDISCO_PG_kind)
        manual: CollectionProperty(type=properties.HYBRIDISCO_PG_manual)
        ignored: CollectionProperty(type=properties.HYBRIDISCO_PG_ignored)
        chosen: CollectionProperty(type=properties.HYBRIDISCO_PG_chosen)
        discovered: CollectionProperty(type=properties.HYBRIDISCO_PG_service)
        active_index: IntProperty(name="Active Service", description="The service whose details are shown", min=0)
        search: StringProperty(
            name="Search Words",
            description="Show only services with these words in their name, kind, host, address or version",
            options={"TEXTEDIT_UPDATE"},
        )
        filter_kind: EnumProperty(name="Kind", description="Show only services of one kind", items=_filter_kinds)
        filter_status: EnumProperty(name="Status", description="Show only one status", items=_STATUS_ITEMS)
        sort_by: EnumProperty(name="Sort by", description="The order of the list", items=_SORT_ITEMS)
        sort_reverse: BoolProperty(name="Reverse Order", description="Turn the order of the list round")
        draft_url: StringProperty(
            name="URL",
            description="Where the service is: http://gpu-box:8188, 10.0.0.5:8188 or https://host/path",
            update=_draft_changed,
        )
        draft_kind: EnumProperty(name="Kind", description="What the service is", items=_draft_kinds)
        draft_title: StringProperty(name="Name", description="What you call it; may stay empty")
        draft_message: StringProperty(name="Message", description="Why the last entry was refused")

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the page in Blender's preferences."""
        draw_page(self, self.layout, context)


CLASSES = (HybridiscoPreferences,)
