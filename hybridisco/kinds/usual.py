"""The usual ports of all built-in kinds, for those who need no more of them: importing the kinds takes 25 ms.

What the kinds' own files say counts; a test checks that it is the same here.
"""

from __future__ import annotations

NUMBER = 22
"""How many kinds there are."""

PORTS = (
    *(5001, 8188, 8000, 7860, 7861, 4000, 7865, 7897, 5050, 7863),
    *(9090, 7801, 8080, 11434, 1234, 30000, 3000, 5000, 7862, 7864),
)
"""The ports of every kind, once each, in the order in which they are looked at."""
