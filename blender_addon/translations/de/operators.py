"""Operators in German: their labels, their tooltips and what they report."""

from __future__ import annotations

LABELS: dict[str, str] = {
    "Discover AI Services": "KI-Dienste suchen",
    "Pause Discovering AI Services": "Suche nach KI-Diensten anhalten",
    "Add AI Service": "KI-Dienst hinzufügen",
    "Remove AI Service": "KI-Dienst entfernen",
    "Remove Manual Service": "Eigenen Eintrag entfernen",
    "Copy URL of AI Service": "URL des KI-Dienstes kopieren",
    "Open AI Service in Browser": "KI-Dienst im Browser öffnen",
    "Accept New Key of AI Service": "Neuen Schlüssel des KI-Dienstes annehmen",
    "Use AI Service": "KI-Dienst nutzen",
    "Stop Using AI Service": "KI-Dienst nicht mehr nutzen",
    "Ignore AI Service": "KI-Dienst ignorieren",
    "Show Again": "Wieder anzeigen",
    "AI Services Preferences": "Einstellungen der KI-Dienste",
    "Show All AI Services": "Alle KI-Dienste anzeigen",
    "Add a Kind": "Art hinzufügen",
    "Remove Kind": "Art entfernen",
}

SAID: dict[str, str] = {
    "Added, but manual entries are switched off in the preferences.": (
        "Hinzugefügt, aber eigene Einträge sind in den Einstellungen ausgeschaltet."
    ),
    "Added. It is checked as soon as Blender may use the network.": (
        "Hinzugefügt. Es wird geprüft, sobald Blender das Netz benutzen darf."
    ),
    # What they report.
    "{count} AI services": "{count} KI-Dienste",
    "Copied {url}": "{url} kopiert",
    "It is not trusted, so it cannot be used. Its details say why.": (
        "Ihm wird nicht vertraut, also kann er nicht genutzt werden. Warum, steht bei dem Dienst."
    ),
    # Accepting a new key.
    "Accept the New Key?": "Neuen Schlüssel annehmen?",
    "Accept": "Annehmen",
    "None is known.": "Keiner ist bekannt.",
    "Seen since {time}": "Gesehen seit {time}",
    "When to accept it": "Wann man ihn annimmt",
    "Only if you know why it changed: its machine or sidecar was set up anew.": (
        "Nur wenn klar ist, warum: Der Rechner oder sein Sidecar wurde neu eingerichtet."
    ),
    "“hybridisco announce status” on that machine shows the right key.": (
        "„hybridisco announce status“ zeigt auf jenem Rechner den richtigen Schlüssel."
    ),
    "In doubt, cancel: somebody may pretend to be that machine.": (
        "Im Zweifel abbrechen: Jemand könnte sich als jener Rechner ausgeben."
    ),
    "The new key of {name} is written down; it counts in a moment.": (
        "Der neue Schlüssel von {name} wird vermerkt; er gilt gleich."
    ),
    "Several new keys of it were refused. “hybridisco trust accept” in a terminal shows them all.": (
        "Mehrere neue Schlüssel wurden abgelehnt. „hybridisco trust accept“ im Terminal zeigt sie alle."
    ),
    "No new key of this service was refused, so there is none to accept.": (
        "Von diesem Dienst wurde kein neuer Schlüssel abgelehnt, also ist keiner anzunehmen."
    ),
    "{name} is ignored. The preferences show it again.": (
        "{name} wird ignoriert. In den Einstellungen lässt sich das ändern."
    ),
    "You have not written this service down. Ignore hides it.": (
        "Zu diesem Dienst gibt es keinen eigenen Eintrag. „Ignorieren“ blendet ihn aus."
    ),
    "This service is not there any more. Choose one in the list.": (
        "Diesen Dienst gibt es nicht mehr. Einen in der Liste wählen."
    ),
}

NAMES: dict[str, str] = {
    "Look for AI backends now: announced on your networks, on this machine, and where you wrote them down": (
        "Jetzt nach KI-Backends suchen: in den Netzen angekündigte, auf diesem Rechner und unter eigenen Einträgen"
    ),
    "Stop looking for AI backends. What was found stays in the list, marked as last known": (
        "Nicht weiter nach KI-Backends suchen. Gefundenes bleibt als zuletzt bekannt in der Liste"
    ),
    "Write a service down. It is checked at once and always shown, with the reason when it cannot be reached": (
        "Einen Dienst eintragen. Er wird sofort geprüft und immer gezeigt; ist er nicht erreichbar, mit dem Grund"
    ),
    "Remove what you wrote down about this service. If it is found in another way too, it stays in the list": (
        "Den eigenen Eintrag zu diesem Dienst entfernen. Wird er auch anders gefunden, bleibt er in der Liste"
    ),
    "Remove this entry": "Diesen Eintrag entfernen",
    "Copy the address of this service to the clipboard": "Die Adresse dieses Dienstes in die Zwischenablage kopieren",
    "Open the page of this service in your web browser": "Die Seite dieses Dienstes im Webbrowser öffnen",
    "Trust the new key of this service. Both keys are shown before, for you to compare": (
        "Dem neuen Schlüssel dieses Dienstes vertrauen. Beide Schlüssel werden vorher zum Vergleich gezeigt"
    ),
    "Key": "Schlüssel",
    "The new key in base64; empty for the one that was refused": (
        "Der neue Schlüssel in Base64; leer für den abgelehnten"
    ),
    "Use this service for its kind: other add-ons then ask for it, also after its address has changed": (
        "Diesen Dienst für seine Art nutzen: Andere Add-ons nehmen dann ihn, auch wenn sich seine Adresse ändert"
    ),
    "Choose no particular service for this kind any more": "Für diese Art keinen bestimmten Dienst mehr wählen",
    "Keep this service out of the list. The preferences show it again": (
        "Diesen Dienst nicht mehr in der Liste zeigen. Die Einstellungen holen ihn zurück"
    ),
    "Show this service again": "Diesen Dienst wieder anzeigen",
    "Open the preferences of Hybridisco: hosts, ports, manual and ignored services": (
        "Die Einstellungen von Hybridisco öffnen: Rechner, Ports, eigene Einträge, ignorierte Dienste"
    ),
    "Clear the search and the filters of the list": "Suche und Filter der Liste leeren",
    "Add a kind of backend of your own, and say how it is recognised": (
        "Eine eigene Art von Backend hinzufügen und sagen, woran sie zu erkennen ist"
    ),
    "Remove this kind": "Diese Art entfernen",
    # Their settings, for scripts and shortcuts.
    "Wait": "Warten",
    "For scripts: return when the search is complete, or after so many seconds. Blender is blocked until then. "
    "With 0 it returns at once, and the panel follows": (
        "Für Skripte: erst nach dem Ende der Suche zurückkehren, oder nach so vielen Sekunden. Blender ist bis dahin "
        "blockiert. Bei 0 geht es sofort weiter, und die Seitenleiste folgt"
    ),
    "Where it is: http://gpu-box:8188. Empty for what is typed in the panel": (
        "Wo er ist: http://gpu-box:8188. Leer für das, was in der Seitenleiste steht"
    ),
    "Such as comfyui; empty to find out": "Etwa comfyui; leer, um es herauszufinden",
    "The id of the service": "Die Kennung des Dienstes",
    "The id of the service; empty for the one that is active in the panel": (
        "Die Kennung des Dienstes; leer für den, der in der Seitenleiste aktiv ist"
    ),
    "The kind that the service is used for": "Die Art, für die der Dienst genutzt wird",
    "Row": "Zeile",
    "The row of the entry": "Die Zeile des Eintrags",
    "The row of the kind": "Die Zeile der Art",
}
