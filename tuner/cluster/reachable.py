"""A look at the address of a cluster before Ray is asked to join it: where nobody listens, Ray tries for minutes."""

from __future__ import annotations

import re
import socket

from ray._private.services import canonicalize_bootstrap_address

WAIT_SECONDS = 10.0  # for a connection; a head far away answers within one


def check(address: str) -> None:
    """Raise a ValueError where ``HOST:PORT`` is no such pair, or nobody listens there. Other forms are left to Ray.

    ``auto`` is what RAY_ADDRESS or Ray's note of the last cluster on this machine says, which may long be over.
    """
    try:
        place = (canonicalize_bootstrap_address("auto") or "") if address == "auto" else address
    except (ConnectionError, ValueError):  # there is none, which Ray says better
        return
    found = re.fullmatch(r"(?:ray://)?\[?([^/\]]+?)\]?:([^:/]*)", place)
    if found is None:
        return
    host, port = found[1], found[2]
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise ValueError(f"--address {address!r} has the port {port!r}, which must be a whole number in 1..65535")
    try:
        socket.create_connection((host, int(port)), timeout=WAIT_SECONDS).close()
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        where = f" ({place})" if place != address else ""
        raise ValueError(f"no Ray cluster can be reached at {address!r}{where}: {why}") from None
