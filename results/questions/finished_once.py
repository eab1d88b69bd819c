"""One step for all that an interrupted campaign has left: trials, a confirmation, an ablation, a campaign carried over.

Each part knows what it lacks, and one command goes on with all of them: two lines would ask to finish twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from terminal.counted import counted
from terminal.duration import about

FINISH = "finish"
GOES_ON = "still running, or cut off: then go on with it"


def finished_once(steps: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps, with all that are to finish as the first one of them: their reasons, runs and times together."""
    steps = list(steps)
    parts = [step for step in steps if step["step"] == FINISH]
    if len(parts) < 2:
        return steps
    place = steps.index(parts[0])
    whys = [part["why"].removesuffix(f" ({GOES_ON})") for part in parts]
    counts = ", then ".join(part.get("counts") or f"{counted(part['runs'], 'run')} at least" for part in parts)
    whole = {
        **parts[0],
        "why": f"{'; '.join(whys)} ({GOES_ON})",
        "runs": sum(part["runs"] for part in parts),
        "seconds": None,
        "most_seconds": None,
        "takes": counts,
    }
    if all(part.get("seconds") is not None for part in parts):
        least, most = (sum(part[name] for part in parts) for name in ("seconds", "most_seconds"))
        whole |= {"seconds": least, "most_seconds": most, "takes": f"{counts}, {about(least, most)}"}
    others = [step for step in steps if step["step"] != FINISH]
    return [*others[:place], whole, *others[place:]]
