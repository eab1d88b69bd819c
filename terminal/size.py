"""A number of bytes as people read it: decimal units, three digits."""

from __future__ import annotations


def size(num_bytes: float) -> str:
    """``517 bytes``, ``1.06 MB``, ``68.3 MB``: bytes below a thousand, else kB, MB or GB (10^3, 10^6, 10^9)."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if num_bytes >= factor:
            amount = num_bytes / factor
            return f"{amount:,.0f} {unit}" if amount >= 999.5 else f"{amount:.3g} {unit}"
    return f"{num_bytes:.0f} bytes"
