"""The next step of a search whose winner is one of a small scale only: its best at the scale that counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from terminal.counted import counted, counted_range

from results.design import CARRY, DEFAULT
from results.questions.to_come import design_of
from results.statistics.confirmation import Round, standing
from results.store.frames import Results
from results.store.larger import campaigns_at
from results.store.statuses import UNFINISHED


def carry_over(
    results: Results, found: list[Round], command: Callable[[Results, str], str]
) -> Iterator[dict[str, Any]]:
    """Yield the step of carrying the best over to a larger scale, or of going on with that; nothing where it is done.

    It is for a search with a winner that stands, or one that asked for it. Its time is that of another size, so not
    known from the search's own runs: ``--dry-run`` of the command says it.
    """
    campaign = results.campaign
    wanted, larger = campaign.get("confirm_scale"), campaign.get("larger_scales") or []
    if wanted is None and (not larger or standing(found) is None):
        return
    scale = str(wanted or larger[0])
    try:
        begun = campaigns_at(results.store.folder, scale)
    except ValueError as error:
        yield {"step": "carry over", "why": f"what has begun at scale {scale} is to be mended first: {error}"}
        return
    if begun and not (left := _left(begun[-1].campaign, begun[-1].trials())):
        return
    if begun:
        why = f"campaign {begun[-1].folder.name}, at scale {scale}, is not over: {counted(left, 'run')} at least"
        yield {"step": "finish", "why": why, "runs": left, "takes": None, "command": command(results, "")}
        return
    carried = int(campaign.get("carry") or CARRY)
    design, trials = (design_of(results) or DEFAULT).among(carried), 1 + carried
    assert design is not None, "one is carried over at least"
    runs = counted_range(design.fewest_runs, design.most_runs, "run")
    yield {
        "step": "carry over",
        "why": f"the winner is one of scale {campaign.get('scale')}: only runs at scale {scale} say whether it holds"
        f"{_hint(results)}",
        "takes": f"{counted(trials, 'trial')} and {runs} at scale {scale}",
        "runs": trials + design.fewest_runs,
        "command": command(results, "" if wanted else f"--confirm-scale {scale}"),
    }


def _hint(results: Results) -> str:
    """Say where the time and the needs of a larger scale are known: not from runs of another size."""
    devices = {str(device) for device in results.rows["device"].dropna()} if "device" in results.rows else set[str]()
    on_cpu = devices and all(device.startswith("cpu") for device in devices)
    here = "; these ran on a CPU, and a larger scale may need a GPU" if on_cpu else ""
    return f"{here} (--dry-run with the command says how long it takes here, and which data it reads)"


def _left(campaign: dict[str, Any], rows: Any) -> int:
    """Count the runs of a campaign that are known to be left: those not finished, and trials not begun."""
    begun = sum(row["stage"] in (None, "search") for row in rows)
    return sum(row["status"] in UNFINISHED for row in rows) + max(0, int(campaign.get("trials") or 0) - begun)
