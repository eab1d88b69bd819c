"""The failure of a tracker as a line, without the keys and passwords that its package may have put into it."""

from __future__ import annotations

import os
import re

from terminal.short import message_of

LEAST = 6  # characters of a secret: a shorter one would be found in any text
_NAMES = re.compile(r"KEY|TOKEN|PASSWORD|SECRET|CREDENTIAL", re.IGNORECASE)  # of environment variables that hold one
_IN_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")  # user:password


def failure(error: BaseException) -> str:
    """Make the line: the kind of error and its message, each secret of the environment by its variable's name."""
    text = _IN_URL.sub("...", f"{type(error).__name__}: {message_of(error)}")
    for name, value in os.environ.items():
        if _NAMES.search(name) and len(value) >= LEAST:
            text = text.replace(value, f"[{name}]")
    return text
