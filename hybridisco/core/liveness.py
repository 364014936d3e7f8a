"""When to look again, and when a silent service is gone.

==========================  =========  ===============================================================
constant                    value      reason
==========================  =========  ===============================================================
CHECK_EVERY_S               3 s        with 0.5 s to notice that it is time and 1 s to wait for a connection,
                                       a dead box is `stale` within 5 s
BACKOFF_LIMIT_S             60 s       what stays dead is still noticed within a minute of its return
GONE_AFTER_S                9 s        stale this long, and two more checks failed: gone in 15 s in all
ORPHAN_AFTER_S              60 s       a check whose claim never came or went away is forgotten
==========================  =========  ===============================================================

A claim by mDNS that answered once and then falls silent becomes `stale`, then disappears, whatever the TTL
of its records (RFC 6762 section 10 lets a PTR live for 75 minutes). Its evidence is kept, so that it is
there again as soon as it answers. What the user wrote down never disappears; it becomes `unreachable`.
"""

from __future__ import annotations

CHECK_EVERY_S = 3.0
BACKOFF_LIMIT_S = 60.0
GONE_AFTER_S = 9.0
ORPHAN_AFTER_S = 60.0

_STEADY_FAILURES = 3  # the first failures are repeated at the usual pace: it may be a hiccup


def next_check_after_s(failures: int) -> float:
    """Return the seconds from a check to the next one, after so many failures in a row."""
    return float(min(CHECK_EVERY_S * 2 ** max(0, failures - _STEADY_FAILURES), BACKOFF_LIMIT_S))
