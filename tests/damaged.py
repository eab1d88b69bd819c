"""What a disk or a copy does to a file. Both fault harnesses use it: in this process (a fixture of conftest.py) and in
the workers of tests/injected_faults.py.
"""

from __future__ import annotations

import random
from pathlib import Path


def damage(path: Path, kind: str, draw: random.Random) -> None:
    """Cut the file ("checkpoint cut"), or change one of its bits."""
    whole = bytearray(path.read_bytes())
    if kind == "checkpoint cut":
        del whole[draw.randrange(len(whole)) :]
    else:
        whole[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
    path.write_bytes(bytes(whole))
