"""Open WebUI: a chat page in front of other servers. Port 8080, 3000 in the usual container.

It is for people, not for programs: no sidecar announces it unless asked to.
"""

from __future__ import annotations

from hybridisco.core.conditions import body, has, status
from hybridisco.core.kind import Fact, Kind, Proof, Step

_CONFIG = "/api/config"

KIND = Kind(
    id="openwebui",
    title="Open WebUI",
    ports=(8080, 3000),
    proofs=(
        # The name can be changed, but "(Open WebUI)" stays behind it.
        Proof((Step("/", (body(r"Open WebUI"),)), Step(_CONFIG, (status(200), has("name", "version", "features"))))),
    ),
    facts=(Fact("version", _CONFIG, "version"),),
    capabilities=("text",),
    aliases=("open-webui",),
    start_hint="Start it with `open-webui serve`.",
    lan_hint="To open it to the LAN, start it without `--host`, or with `open-webui serve --host 0.0.0.0`.",
    homepage="https://openwebui.com",
    announced=False,
)
