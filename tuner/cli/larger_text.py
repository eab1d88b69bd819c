"""Text of a plan on what comes after a search at a larger scale: its runs, their time and their price."""

from __future__ import annotations

from dataclasses import replace

from results.store.campaign_folder import Store
from results.store.larger import campaigns_at
from results.store.statuses import ENDED
from terminal.console import Console
from terminal.counted import best_of, counted, counted_range
from terminal.duration import durations
from tuner.cli.plan_text import planned_for, print_price
from tuner.cluster import capacity
from tuner.command import Planning, Start
from tuner.plan import cost as plan
from tuner.plan.card_speed import elsewhere
from tuner.plan.compiling import of_runs
from tuner.plan.known_devices import Hardware
from tuner.plan.larger import Larger, larger_of
from tuner.plan.larger_scales import arithmetic
from tuner.plan.trial_cost import RAY_SECONDS
from tuner.question import REPLAY_REPORTS, Question


def print_larger(
    console: Console, question: Question, here: capacity.Cluster, start: Start, store: Store | None = None
) -> None:
    """Print the runs at the larger scale, and what they cost; nothing where none are asked for.

    ``store`` is of a search that has begun, whose best may be trained there already.
    """
    larger, planning = larger_of(question), start.planning
    if larger is None:
        return
    assert planning is not None, "only a plan has a cost"
    trials = 1 + larger.carry
    design = question.spec.confirm.among(larger.carry) if question.spec.confirm else None
    slots = planning.num_slots or here.slots
    later = (design.fewest_runs, design.most_runs) if design else (0, 0)
    then = f", then {counted_range(*later, 'run')} on fresh seeds" if design else ""
    runs = f"{best_of(larger.carry)} and the base, {counted(trials, 'trial')}{then}"
    console.print(f"then at scale {larger.scale}: {runs}")
    for found in () if store is None else campaigns_at(store.folder, larger.scale):
        ended = counted(sum(row["status"] in ENDED for row in found.trials()), "run")
        console.print(f"  {ended} of campaign {found.folder.name} ended already: no config is trained again")
    for path, factor in larger.factors.items():
        console.print(f"  {path}: x {factor:.4g}, by its rule of width")
    if larger.left:
        console.print(f"  as the scale has it: {', '.join(larger.left)}")
    times = arithmetic(larger.base) / arithmetic(question.base)
    console.print(f"  arithmetic of a run: {times:,.3g} times that of a trial of the search")
    compiles = of_runs(larger.base, trials, question.spec.compile, here.has_gpu, planning)
    hardware = _hardware(console, question, larger, here, planning, compiles.compiles)
    speeds = [hardware.tokens_per_second, hardware.usual or hardware.tokens_per_second]
    reports = question.spec.reports or REPLAY_REPORTS
    each = [_seconds(larger, hardware, speed, compiles.seconds, reports) for speed in speeds]
    console.print(f"  speed: {hardware.speed}")
    known = [seconds for seconds in each if seconds is not None]
    if not known:
        console.print("  time: not known (--device CARD says it of a card)")
        print_price(console, start, slots, None)
        return
    waves = design.waves(slots) if design else (0, 0)
    first = -(-trials // slots)
    fewest, most = (first + each for each in waves)
    ends = [RAY_SECONDS + fewest * known[0], RAY_SECONDS + most * known[-1]]
    console.print(f"  time: {durations(known[0], known[-1])} a run, in all about {durations(*ends)}")
    print_price(console, start, slots, ends)


def _hardware(
    console: Console, question: Question, larger: Larger, here: capacity.Cluster, planning: Planning, compiles: bool
) -> Hardware:
    """Return the devices of the plan with their speed at the larger scale; one that was given is of the search's."""
    if planning.is_elsewhere:
        if planning.device is None:
            return Hardware(None, "not known: --tokens-per-second is of the search's own scale", "the device given")
        return elsewhere(larger.base, planning.device, None, compiles=compiles)
    return planned_for(console, replace(question, base=larger.base, scale=larger.scale), here, planning, compiles)


def _seconds(larger: Larger, hardware: Hardware, speed: float | None, compiling: float, reports: int) -> float | None:
    tokens = plan.tokens_of(larger.base)
    if tokens is None or not speed:
        return None
    return tokens / speed + hardware.beside(larger.base, speed, compiling).of(reports)
