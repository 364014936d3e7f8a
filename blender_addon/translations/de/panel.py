"""The sidebar and the menu in German."""

from __future__ import annotations

SAID: dict[str, str] = {
    # -- the first panel, and all of them -------------------------------------------------------------
    # The line at the top.
    "Searching…": "Suche läuft …",
    "Searching… {count} so far": "Suche läuft … bisher {count}",
    "{count} services": "{count} Dienste",
    "1 service": "1 Dienst",
    "{found} · checked {time}": "{found} · Stand {time}",
    "Nothing found": "Nichts gefunden",
    "Not searching": "Keine Suche",
    "{count} from before": "{count} von früher",
    "{found}, {number} not trusted": "{found}, {number} verdächtig",
    "Discovery has stopped": "Suche abgebrochen",
    "Discover": "Suchen",
    # The list.
    "Search": "Suche",
    "Show All": "Alle zeigen",
    "{number} hidden by filters": "{number} ausgefiltert",
    "{url} wants a login; what it is cannot be told without.": (
        "{url} verlangt eine Anmeldung; ohne die lässt sich nicht sagen, was es ist."
    ),
    "{url} is not ready yet; what it is cannot be told so far.": (
        "{url} ist noch nicht bereit; was es ist, lässt sich noch nicht sagen."
    ),
    "The same is true of {number} more.": "Das gilt auch für {number} weitere.",
    # In Use.
    "It is gone; it was at {url}. Choose another one, or wait for it to return.": (
        "Er ist fort; er war unter {url}. Einen anderen wählen oder warten, bis er wiederkommt."
    ),
    "It is not trusted now, so nothing is used. Its details say why.": (
        "Ihm wird zurzeit nicht vertraut, also wird nichts genutzt. Warum, steht bei dem Dienst."
    ),
    # Add Manually.
    "Name (optional)": "Name (optional)",
    "Add": "Hinzufügen",
    # -- one service ----------------------------------------------------------------------------------
    "Use for {kind}": "Für {kind} nutzen",
    "Used for {kind}": "Genutzt für {kind}",
    "Accept the New Key…": "Neuen Schlüssel annehmen …",
    "Copy URL": "URL kopieren",
    "Open": "Öffnen",
    "Remove": "Entfernen",
    "Ignore": "Ignorieren",
    # What a line is about: a third of the sidebar's width.
    "Status": "Zustand",
    "Kind": "Art",
    "URL": "URL",
    "Host": "Rechner",
    "Latency": "Latenz",
    "GPU": "GPU",
    "VRAM": "VRAM",
    "Queue": "Aufträge",
    "Title": "Titel",
    "Login": "Anmeldung",
    "Makes": "Erzeugt",
    "Found by": "Quelle",
    "Also at": "Auch bei",
    "Signed": "Signatur",
    "Last seen": "Zuletzt",
    # What it says.
    "Online": "Online",
    "Busy": "Beschäftigt",
    "Starting": "Startet",
    "Locked": "Gesperrt",
    "Being checked": "Wird geprüft",
    "Something else answers": "Etwas anderes antwortet",
    "Unreachable": "Nicht erreichbar",
    "Not trusted": "Nicht vertrauenswürdig",
    "Known key": "Bekannter Schlüssel",
    "New key": "Neuer Schlüssel",
    "Not signed": "Nicht signiert",
    "Not checked": "Nicht geprüft",
    "It is known from before, and has not been checked yet.": "Von früher bekannt und noch nicht geprüft.",
    "Discovery has ended by itself.": "Die Suche hat von selbst aufgehört.",
    "Last known": "Zuletzt bekannt",
    "{number} waiting": "{number} wartend",
    "unknown": "unbekannt",
    "now": "jetzt",
    "never": "nie",
    "probe": "Portsuche",
    "manual": "eigener Eintrag",
    "image": "Bilder",
    "video": "Videos",
    "audio": "Audio",
    "voice": "Sprache",
    "text": "Text",
    # -- nothing found --------------------------------------------------------------------------------
    "Tried": "Versucht",
    "mDNS on all networks of this machine": "mDNS in allen Netzen dieses Rechners",
    "The usual ports of {hosts}": "Die üblichen Ports von {hosts}",
    "no host": "keinem Rechner",
    " and {number} more": " und {number} weiteren",
    "{number} manual entries": "{number} eigene Einträge",
    "No manual entries": "Keine eigenen Einträge",
    "failed": "fehlgeschlagen",
    "Likely reasons": "Wahrscheinliche Gründe",
    "Every way of searching is switched off.": "Alle Suchwege sind ausgeschaltet.",
    "Switch one on in the preferences.": "Einen in den Einstellungen einschalten.",
    "{ports} accepts connections but does not answer: it is loading or stuck.": (
        "{ports} nimmt Verbindungen an, antwortet aber nicht: Dort wird noch geladen, oder etwas hängt."
    ),
    "Look at its console; it appears here by itself when it is ready.": (
        "In der Konsole dort nachsehen; der Dienst erscheint hier von selbst, sobald er bereit ist."
    ),
    "Mend that, then press Discover.": "Das beheben, dann „Suchen“ drücken.",
    "No backend is running yet.": "Es läuft noch kein Backend.",
    "Start ComfyUI or another one; it appears here within seconds.": (
        "ComfyUI oder ein anderes starten; es erscheint hier binnen Sekunden."
    ),
    "It runs on another machine, and listens for that machine only or is not announced.": (
        "Es läuft auf einem anderen Rechner und lauscht nur für diesen, oder es wird nicht angekündigt."
    ),
    "Start it there for the LAN (ComfyUI: --listen 0.0.0.0), then run “hybridisco announce” beside it.": (
        "Es dort für das LAN starten (ComfyUI: --listen 0.0.0.0), dann daneben „hybridisco announce“ ausführen."
    ),
    "The network does not carry mDNS (VPN, guest Wi-Fi, Docker, WSL2).": (
        "Das Netz überträgt kein mDNS (VPN, Gäste-WLAN, Docker, WSL2)."
    ),
    "Add it below by its address, or name its machine under Hosts in the preferences.": (
        "Unten die Adresse eintragen, oder den Rechner in den Einstellungen unter „Rechner“ nennen."
    ),
    # -- offline --------------------------------------------------------------------------------------
    "Allow Online Access": "Onlinezugriff erlauben",
    "Blender was started with --offline-mode. Start it without, to look for backends.": (
        "Blender wurde mit --offline-mode gestartet. Zur Suche nach Backends ohne diese Option starten."
    ),
    "Blender may not use the network. Allow it in Preferences › System › Network: Allow Online Access. "
    "Hybridisco looks at this machine and your LAN only.": (
        "Blender darf das Netz nicht benutzen. Erlauben: Einstellungen › System › Netzwerk, Onlinezugriff (Allow "
        "Online Access). Hybridisco sieht nur auf diesem Rechner und im LAN nach."
    ),
}

NAMES: dict[str, str] = {
    # -- the first panel, and all of them -------------------------------------------------------------
    "AI Services": "KI-Dienste",
    "The AI backends of this machine and the LAN": "Die KI-Backends dieses Rechners und des LAN",
    "Everything that can be done with AI services": "Alles, was man mit KI-Diensten tun kann",
    # The list.
    "Search Words": "Suchwörter",
    # In Use.
    "In Use": "In Nutzung",
    "The services that other add-ons use, one for each kind": "Die Dienste, die andere Add-ons nutzen, je Art einer",
    # Add Manually.
    "Add Manually": "Selbst eintragen",
    "Write down a service that is not found by itself": "Einen Dienst eintragen, der nicht von selbst gefunden wird",
    # -- the filters ----------------------------------------------------------------------------------
    "Show only services with these words in their name, kind, host, address or version": (
        "Nur Dienste mit diesen Wörtern in Name, Art, Rechner, Adresse oder Version zeigen"
    ),
    "All Kinds": "Alle Arten",
    "Show every kind of backend": "Backends aller Arten zeigen",
    "Show only services of one kind": "Nur Dienste einer Art zeigen",
    "Any Status": "Jeder Zustand",
    "Show services whatever their status": "Dienste in jedem Zustand zeigen",
    "Show only one status": "Nur einen Zustand zeigen",
    "Show only services with this status": "Nur Dienste in diesem Zustand zeigen",
    "Sort by": "Sortieren nach",
    "The order of the list": "Die Reihenfolge der Liste",
    "By name": "Nach Name",
    "The most useful first": "Die brauchbarsten zuerst",
    "By kind": "Nach Art",
    "The quickest first": "Die schnellsten zuerst",
    "By machine": "Nach Rechner",
    "Reverse Order": "Umgekehrt",
    "Turn the order of the list round": "Die Reihenfolge der Liste umkehren",
    "Active Service": "Aktiver Dienst",
    "The service whose details are shown": "Der Dienst, der im Einzelnen gezeigt wird",
    "Ask the Service": "Den Dienst fragen",
    "Ask the service itself what it is": "Den Dienst selbst fragen, was er ist",
    "Where the service is: http://gpu-box:8188, 10.0.0.5:8188 or https://host/path": (
        "Wo der Dienst ist: http://gpu-box:8188, 10.0.0.5:8188 oder https://host/path"
    ),
    "What the service is": "Was der Dienst ist",
    "What you call it; may stay empty": "Ein eigener Name; kann leer bleiben",
    "Message": "Meldung",
    "Why the last entry was refused": "Warum der letzte Eintrag abgelehnt wurde",
    # -- one service ----------------------------------------------------------------------------------
    "Service": "Dienst",
    "What is known of the active service": "Was über den aktiven Dienst bekannt ist",
    # What a line is about: a third of the sidebar's width.
    "Status": "Zustand",
    "Kind": "Art",
    "URL": "URL",
    "Host": "Rechner",
    "Latency": "Latenz",
    "Last seen": "Zuletzt",
    # What it says.
    "Last known": "Zuletzt bekannt",
}
