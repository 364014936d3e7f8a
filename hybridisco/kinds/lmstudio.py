"""LM Studio: language models on one's own machine, from a desktop program. Port 1234.

It answers paths that it does not know with 200 and an error in the body: no status of its means anything.
"""

from __future__ import annotations

from hybridisco.core.conditions import equals
from hybridisco.core.kind import Kind, Step
from hybridisco.kinds._steps import NO_PAGE, after

KIND = Kind(
    id="lmstudio",
    title="LM Studio",
    ports=(1234,),
    proofs=after(NO_PAGE, Step("/lmstudio-greeting", (equals("lmstudio", True),))),
    capabilities=("text",),
    aliases=("lm-studio",),
    start_hint="Turn the server on in LM Studio's Developer tab, or run `lms server start`.",
    lan_hint=("To open it to the LAN, turn on “Serve on Local Network” in the server settings of its Developer tab."),
    homepage="https://lmstudio.ai",
)
