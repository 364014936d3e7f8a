"""The preferences in German, with the names and tooltips of what they keep."""

from __future__ import annotations

SAID: dict[str, str] = {
    # -- how it is searched ---------------------------------------------------------------------------
    "mDNS": "mDNS",
    # -- kinds ----------------------------------------------------------------------------------------
    "Kinds and Their Ports": "Arten und ihre Ports",
    # -- manual and ignored services ------------------------------------------------------------------
    "Manual Services ({number})": "Eigene Einträge ({number})",
    "None yet. Add one in the sidebar of the 3D viewport, tab Hybridisco.": (
        "Noch keine. Hinzufügen in der Seitenleiste des 3D-Ansichtsfensters, Reiter Hybridisco."
    ),
    "kind": "Art",
    "name": "Name",
    "Ignored Services ({number})": "Ignorierte Dienste ({number})",
    "None.": "Keine.",
    # -- what is kept of services, for scripts that look into the preferences -------------------------
}

NAMES: dict[str, str] = {
    # -- how it is searched ---------------------------------------------------------------------------
    "Search by": "Suchwege",
    "mDNS": "mDNS",
    "Listen for backends that announce themselves on your networks (DNS-SD)": (
        "Auf Backends hören, die sich in den Netzen ankündigen (DNS-SD)"
    ),
    "Port Probe": "Portsuche",
    "Look at the ports of this machine, and of the hosts named below, for backends that announce nothing": (
        "Auf den Ports dieses und der unten genannten Rechner nach Backends sehen, die sich nicht ankündigen"
    ),
    "Manual Entries": "Eigene Einträge",
    "Show and check the services that you have written down": "Selbst eingetragene Dienste zeigen und prüfen",
    "Discover at Start": "Beim Start suchen",
    "Begin to search when Blender starts; otherwise the Discover button begins it": (
        "Mit der Suche beginnen, wenn Blender startet; sonst beginnt sie mit „Suchen“"
    ),
    "Hosts": "Rechner",
    "Machines whose ports are looked at, by name or address, with commas: localhost, gpu-box. Only these are: a "
    "network is never scanned unasked": (
        "Rechner, auf deren Ports gesehen wird, mit Name oder Adresse, durch Kommas getrennt: localhost, gpu-box. Nur "
        "diese: Ein Netz wird nie ungefragt abgesucht"
    ),
    "Ports": "Ports",
    "Ports that are looked at besides the usual ones of every kind, with commas: 8000-8200, 9000": (
        "Ports neben den üblichen jeder Art, auf denen auch gesucht wird, durch Kommas getrennt: 8000-8200, 9000"
    ),
    "Look Again Every": "Nachsehen alle",
    "Seconds from one look at all ports to the next": "Sekunden von einer Suche auf allen Ports zur nächsten",
    "Wait for an Answer": "Warten auf Antwort",
    "A service that takes longer than this to answer counts as silent, in seconds": (
        "Ein Dienst, der länger für eine Antwort braucht, gilt als stumm, in Sekunden"
    ),
    "Scripts Wait": "Skripte warten",
    "A script that waits for a search waits for this long at most, in seconds": (
        "So lange wartet ein Skript höchstens auf eine Suche, in Sekunden"
    ),
    # -- kinds ----------------------------------------------------------------------------------------
    "Where it usually listens, likeliest first, with commas. Empty for the usual ones": (
        "Wo sie gewöhnlich lauscht, das Wahrscheinlichste zuerst, durch Kommas getrennt. Leer für die üblichen"
    ),
    "Id": "Kennung",
    "Lower-case letters, digits and hyphens; what scripts and announcements call this kind": (
        "Kleinbuchstaben, Ziffern und Bindestriche; so heißt diese Art in Skripten und Ankündigungen"
    ),
    "Name": "Name",
    "What people call it": "Wie man sie nennt",
    "Health path": "Health-Pfad",
    "A wrapper's own endpoint that answers with JSON naming the service, such as /healthz": (
        "Eigener Endpunkt eines Wrappers, der mit JSON antwortet, das den Dienst nennt, etwa /healthz"
    ),
    "Custom": "Benutzerdefiniert",
    "Path": "Pfad",
    "The page that tells it from others, such as /api/about": "Die Seite, die sie verrät, etwa /api/about",
    "JSON has": "JSON enthält",
    "Values that the page's JSON has, with commas: version, models.0.name": (
        "Werte, die das JSON der Seite enthält, durch Kommas getrennt: version, models.0.name"
    ),
    "Text contains": "Text enthält",
    "Words that stand in the page": "Wörter, die in der Seite stehen",
    # -- manual and ignored services ------------------------------------------------------------------
    "Where it is: http://gpu-box:8188, or an address with a port": (
        "Wo er ist: http://gpu-box:8188 oder eine Adresse mit Port"
    ),
    "Its kind; empty to find out by asking it": "Seine Art; leer, um ihn selbst zu fragen",
    "What you call it; may be empty": "Ein eigener Name; darf leer sein",
    # -- what is kept of services, for scripts that look into the preferences -------------------------
    "Version": "Version",
    "Sources": "Quellen",
    "The id of the service that is ignored": "Die Kennung des ignorierten Dienstes",
    "The id of the service, by which it is followed": "Die Kennung des Dienstes, die ihn wiederfinden lässt",
    "What it was called": "Wie er hieß",
    "What it was called when it was last seen": "Wie er hieß, als er zuletzt gesehen wurde",
    "Where it was when it was last seen": "Wo er war, als er zuletzt gesehen wurde",
    "The kind that it is used for": "Die Art, für die er genutzt wird",
    "Stays the same when the address changes": "Bleibt gleich, wenn sich die Adresse ändert",
    "What it is: comfyui, litellm, …": "Was er ist: comfyui, litellm, …",
    "What it is called": "Wie er heißt",
    "The machine that it runs on": "Der Rechner, auf dem er läuft",
    "Where it is": "Wo er ist",
    "What is known of it now: online, busy, unreachable, …": "Was von ihm bekannt ist: online, busy, unreachable, …",
    "The version that it tells": "Die Version, die er nennt",
    "How it was found: mdns, probe, manual": "Wie er gefunden wurde: mdns, probe, manual",
    "When it last answered, in seconds since 1970": "Wann er zuletzt antwortete, in Sekunden seit 1970",
    "It is known from before, and has not been checked since Blender started": (
        "Er ist von früher bekannt und seit dem Start von Blender nicht geprüft worden"
    ),
}
