"""NVIDIA Triton Inference Server: any model, by the KServe protocol. Port 8000.

What its models make is not known from outside, and no program that our users have speaks to it: not announced.
"""

from __future__ import annotations

from hybridisco.core.conditions import either, equals, has, status
from hybridisco.core.kind import Fact, Kind, Step
from hybridisco.kinds._steps import NO_PAGE, after

KIND = Kind(
    id="triton",
    title="Triton Inference Server",
    ports=(8000,),
    proofs=after(
        NO_PAGE,
        Step(
            "/v2",
            (
                status(200),
                has("name", "version", "extensions"),
                # Other servers speak KServe too. The name can be changed (`--id`), the extension is Triton's.
                either(equals("name", "triton"), equals("extensions.*", "cuda_shared_memory")),
            ),
        ),
    ),
    facts=(Fact("version", "/v2", "version"),),
    start_hint="Start it with `tritonserver --model-repository=FOLDER`, or its container.",
    lan_hint="To open it to the LAN, publish the container's port on all addresses (`-p 8000:8000`).",
    homepage="https://github.com/triton-inference-server/server",
    announced=False,
)
