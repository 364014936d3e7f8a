"""The worker's own end, see the package's docstring."""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import math
import sys

from bench.measure import Sample


async def _serve(target: str, options: str) -> None:
    module, _, name = target.partition(":")
    measure = await getattr(importlib.import_module(module), name)(**json.loads(options))
    print("{}", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        gc.collect()
        sample: Sample = await measure()
        print(json.dumps({key: value if math.isfinite(value) else None for key, value in sample.items()}), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
