"""Logs for machines: one JSON object a line."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

_EXTRA = ("backend", "port")  # what our own messages carry besides their text


class JsonLines(logging.Formatter):
    """``{"time": …, "level": "info", "message": …}``, with ``backend`` and ``port`` where a message is about one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line."""
        said: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        said |= {name: getattr(record, name) for name in _EXTRA if hasattr(record, name)}
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=True, default=str)
