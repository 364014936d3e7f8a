"""SwarmUI: a page and an API in front of one or several ComfyUIs. Port 7801.

Its index redirects to a page of a peculiar name. Its API wants a session, and asking for one creates one.
"""

from __future__ import annotations

from hybridisco.core.conditions import header, status
from hybridisco.core.kind import Kind, Proof, Step

KIND = Kind(
    id="swarmui",
    title="SwarmUI",
    ports=(7801,),
    proofs=(
        Proof((Step("/", (status(301, 302, 307, 308), header("location", r"^(https?://[^/]+)?/?Text2Image/?$"))),)),
    ),
    capabilities=("image", "video"),
    aliases=("swarm", "stableswarmui"),
    start_hint="Start it with `./launch-linux.sh` (Windows: launch-windows.bat).",
    lan_hint=(
        "To open it to the LAN, start it with `--host 0.0.0.0`, or set Server → Server Configuration → "
        "Host to 0.0.0.0 and restart it."
    ),
    homepage="https://github.com/mcmonkeyprojects/SwarmUI",
)
