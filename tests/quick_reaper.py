"""The reaper of a Ray of ours with its waits cut short, for tests in which nothing ends by itself."""

from __future__ import annotations

import re
from pathlib import Path

from tuner.cluster import leftovers

WAITS = {"LOOK_SECONDS": 0.1, "SHARE": 1.0, "GRACE_SECONDS": 0.3, "TERM_SECONDS": 3.0}


def quick_reaper(folder: Path) -> Path:
    """Write the program into ``folder``: a driver that takes it for ``leftovers.__file__`` starts it as its reaper."""
    text = Path(leftovers.__file__).read_text("utf-8")
    for name, value in WAITS.items():
        text, found = re.subn(rf"^{name} = [\d.]+", f"{name} = {value}", text, flags=re.MULTILINE)
        assert found == 1, name
    (folder / "quick_reaper.py").write_text(text, "utf-8")
    return folder / "quick_reaper.py"
