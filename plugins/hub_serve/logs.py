"""Logs as lines of JSON: one object per line, whatever a client sends."""

import json
import logging
import sys
import time
from typing import Any, TextIO


class Lines(logging.Formatter):
    """Makes one line of JSON of a record; what is given as `extra={"fields": {...}}` is in it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, in ASCII: no line end and no control character of a client's is in it."""
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{when}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_json(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Have every logger of this process write lines of JSON to a stream; None: standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    for name in ("hub", "hub_serve", "uvicorn"):
        logging.getLogger(name).setLevel(level)
