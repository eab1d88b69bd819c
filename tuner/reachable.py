"""A look at the address of a cluster before Ray is asked to join it: where nobody listens, Ray tries for minutes."""

from __future__ import annotations

import re
import socket

WAIT_SECONDS = 10.0  # for a connection; a head far away answers within one


def check(address: str) -> None:
    """A ValueError where ``HOST:PORT`` is no such pair, or nobody listens there. Other forms are left to Ray."""
    found = re.fullmatch(r"(?:ray://)?\[?([^/\]]+?)\]?:([^:/]*)", address)
    if found is None:  # auto, local, or the name of something that Ray knows
        return
    host, port = found[1], found[2]
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise ValueError(f"--address {address!r} has the port {port!r}, which must be a whole number in 1..65535")
    try:
        socket.create_connection((host, int(port)), timeout=WAIT_SECONDS).close()
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ValueError(f"no Ray cluster can be reached at {address!r}: {why}") from None
