"""What is printed before a campaign begins: what is asked, of which machines, and with --dry-run what it costs."""

from __future__ import annotations

import argparse

from results.ablation import num_runs
from results.budgets import steps_line
from results.confirmation import Design
from search_spaces import recorded
from terminal.console import Console
from terminal.counted import counted
from trainable.config import UNITS
from trainable.runtime import Runtime
from tuner import cluster, plan, replay, schedule
from tuner.display import clock
from tuner.early_stopping import STOPPERS
from tuner.hardware import Hardware, elsewhere
from tuner.question import Question
from tuner.speed import LARGEST_ON_CPU, tokens_per_second


def describe(
    console: Console,
    question: Question,
    here: cluster.Cluster,
    confirm: Design | None = None,
    slots: int | None = None,
) -> None:
    """What is about to be asked, and of what: of ``slots`` that need not be here, where they are given."""
    where = here.about if slots is None else counted(slots, "slot")
    space, base = question.space, question.base
    console.print(f"space: {space.name} - {space.question}")
    console.print(f"scale: {question.scale} - {space.scale(question.scale).about}")
    fixed = "".join(f", {path}={value}" for path, value in question.overrides.items())
    limits = ((unit, getattr(base.budget, unit)) for unit in UNITS)
    budget = " or ".join(f"{unit} {amount:g}" for unit, amount in limits if amount is not None)
    if question.replay is not None:
        describe_replay(console, question, where, fixed)
        print_limits(console, here, slots)
        return
    trials, knobs = counted(question.trials, "trial"), counted(len(space.knobs), "knob")
    console.print(f"plan: {trials} on {where}, {budget} each, {knobs}{fixed}")
    print_limits(console, here, slots)
    if space.second_objective is not None:
        console.print(f"objectives: the Pareto front of {' and '.join(space.objectives)}; nothing is stopped early")
    if confirm is not None:
        console.print(f"confirm: {confirmation(confirm)}")
    if space.constraints:
        console.print(f"constraints: {'; '.join(map(str, space.constraints))}")


def print_limits(console: Console, here: cluster.Cluster, slots: int | None) -> None:
    """Why no more trials run at a time on this machine, where they are to run on it."""
    for note in here.notes if slots is None else ():
        console.print(note)


def confirmation(design: Design) -> str:
    """What a design means."""
    seeds = f"{design.first} fresh seeds" + (
        f", to {design.last} where undecided" if design.last > design.first else ""
    )
    runs = f"{design.fewest_runs}" + (f" to {design.most_runs}" if design.last > design.first else "")
    return f"after the search the best {design.candidates} and the base on {seeds}: {runs} runs (--no-confirm: none)"


def describe_replay(console: Console, question: Question, where: str, fixed: str) -> None:
    """Which recorded runs, and how many trainings they are."""
    assert question.replay is not None
    chosen = replay.choose(question.space, question.replay)
    first_seed = sum(p.config.seed == question.planned[0].config.seed for p in question.planned)
    rows = f"recorded runs {question.replay.reading}: {len(chosen.seeds)}, as different trainings {first_seed}"
    console.print(f"plan: {rows}, with all seeds {counted(question.trials, 'trial')}; on {where}{fixed}")
    logged = {run.id: run.steps for run in recorded.load(question.space) if run.steps}
    pairs = [(p.config.budget.steps, logged[p.recorded_id]) for p in question.planned if p.recorded_id in logged]
    if said := steps_line([(float(here), float(there)) for here, there in pairs if here is not None]):
        console.print(said)
    if chosen.left_out:
        console.print(f"left out: {', '.join(chosen.left_out)}, whose configs were never published")


def print_cost(console: Console, question: Question, here: cluster.Cluster, given: argparse.Namespace) -> None:
    """The answer to --dry-run, for ``given.slots`` instead of those that are here."""
    hardware, slots = planned_for(question, here, given), given.slots or here.slots
    if question.replay is not None:
        print_replay_cost(console, question, slots, hardware, given)
        return
    judged = question.space.measured_on_the_way
    stops, fidelity = (given.stopper, given.fidelity) if judged else ("none", "truncate")
    cost = plan.plan(question.base, question.trials, slots, stops, hardware.tokens_per_second, fidelity)
    rungs = f"{cost.unit} {', '.join(map(str, cost.rungs))} of {cost.budget:g}"
    console.print(f"early stopping: {stops}{'' if stops == 'none' else f' at {rungs}'}; {STOPPERS[stops]}")
    if cost.rungs:
        console.print(f"fidelity: {fidelity}{f', reported at {rungs}' if stops == 'none' else ''}")
    if cost.tokens is not None:
        console.print(f"tokens: at most {cost.tokens:,} a trial, {cost.tokens * cost.trials:,} in all")
    else:
        console.print(f"tokens: not known beforehand of a budget in {cost.unit}")
    each = "" if cost.seconds is None else f": {clock(cost.seconds)} a trial, evaluations and start not counted"
    console.print(f"speed: {hardware.speed}{each}")
    print_devices(console, hardware, slots)
    expected = schedule.expect(cost, stops, fidelity)
    print_time(console, cost, expected, stops, hardware.hours)
    print_later(console, cost, expected, given, len(question.space.knobs))
    first, last = plan.confirmation_waves(given.confirm, slots) if given.confirm else (0, 0)
    times = None if cost.seconds is None else [cost.seconds * (expected.wall + later) for later in (first, last)]
    print_price(console, given, slots, times)
    console.print("dry run: nothing was trained or written")


def planned_for(question: Question, here: cluster.Cluster, given: argparse.Namespace) -> Hardware:
    """What the plan counts with: devices that are named or whose speed is given, or those that are here, measured."""
    if given.device is not None or given.tokens_per_second is not None:
        return elsewhere(question.base, given.device, given.tokens_per_second)
    speed = tokens_per_second(question.base, Runtime.detect())
    device = f"{'a GPU' if here.has_gpu else 'a core'} of this machine"
    return Hardware(speed, said(speed, here.has_gpu), device, hours="slot-hours")


def print_devices(console: Console, hardware: Hardware, slots: int) -> None:
    """On what the trials run, and whether it has the memory where that is known."""
    console.print(f"slots: {slots:,}, each like {hardware.device}")
    if hardware.memory:
        console.print(f"memory: {hardware.memory}")


def print_price(console: Console, given: argparse.Namespace, slots: int, seconds: list[float] | None) -> None:
    """What the devices cost until the end, at least and at most: they are held also while some of them wait."""
    if given.price is None:
        return
    if seconds is None:
        console.print("cost: not known, as the time is not (--device or --tokens-per-second)")
        return
    low, high = (each / 3600 * slots for each in seconds)
    hours, money = _span(low, high), _span(low * given.price, high * given.price)
    console.print(f"cost: about {money} for {hours} device-hours at {given.price:g}: {slots:,} held to the end")


def _span(low: float, high: float) -> str:
    return _amount(low) if _amount(low) == _amount(high) else f"{_amount(low)} to {_amount(high)}"


def said(speed: float | None, has_gpu: bool) -> str:
    """A measured speed, or that there is none."""
    if speed is None and has_gpu:
        return "not measured: a micro-batch does not fit this GPU's memory"
    if speed is None:
        return f"not measured: a model of over {LARGEST_ON_CPU:,} parameters or with long rows is not timed on a CPU"
    return f"{speed:,.0f} tokens/s here"


def print_time(console: Console, cost: plan.Plan, expected: schedule.Schedule, stops: str, counted: str) -> None:
    """How long a search will take and what it will cost, as its schedule was simulated."""
    compute = f"{_amount(expected.compute)} of {cost.trials:,} whole trials"
    if cost.seconds is None:
        console.print(f"time: about {_amount(expected.wall)} times that of a whole trial ({compute})")
        return
    hours = expected.compute * cost.seconds / 3600
    console.print(f"time: about {clock(expected.wall * cost.seconds)}, {_amount(hours)} {counted} ({compute})")
    if stops != "none":
        console.print(f"time without early stopping: {clock(expected.wall_unstopped * cost.seconds)}")


def print_later(
    console: Console, cost: plan.Plan, expected: schedule.Schedule, given: argparse.Namespace, knobs: int
) -> None:
    """What comes after the search, and what ends it."""

    def span(low: float, high: float) -> str:
        if cost.seconds is None:
            return f"{_amount(low)} to {_amount(high)} times that of a whole trial"
        return f"{clock(low * cost.seconds)} to {clock(high * cost.seconds)}"

    if given.confirm:
        fewest, most = plan.confirmation_waves(given.confirm, cost.slots)
        console.print(f"confirmation: {span(fewest, most)} after it")
        console.print(f"in all: about {span(expected.wall + fewest, expected.wall + most)}")
    if given.ablate:
        _, most = num_runs(knobs, given.confirm.first)
        console.print(f"ablation: at most {most:,} runs more, if the winner changes all of {counted(knobs, 'knob')}")
    if given.hours is not None:
        console.print(f"--hours {given.hours:g}: whatever is not done by then is left for --resume")


def _amount(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def print_replay_cost(
    console: Console, question: Question, slots: int, hardware: Hardware, given: argparse.Namespace
) -> None:
    """The answer to --dry-run --replay: every training is whole, and their budgets differ."""
    tokens = [plan.tokens_of(planned.config) for planned in question.planned]
    known = [count for count in tokens if count is not None]
    if known:
        console.print(f"tokens: {min(known):,} to {max(known):,} a trial, {sum(known):,} in all")
        console.print(f"speed: {hardware.speed}, of the base")
    print_devices(console, hardware, slots)
    seconds = None
    if known and hardware.tokens_per_second is not None:
        seconds = plan.waves([count / hardware.tokens_per_second for count in known], slots)
        used = sum(known) / hardware.tokens_per_second / 3600
        about = f"about {clock(seconds)} with {counted(slots, 'slot')}, {_amount(used)} {hardware.hours}"
        console.print(f"time: {about}, evaluations and start not counted")
        if len(known) < len(tokens):
            console.print(
                f"not counted: {counted(len(tokens) - len(known), 'training')} whose tokens are not known beforehand"
            )
    print_price(console, given, slots, None if seconds is None else [seconds, seconds])
    console.print("dry run: nothing was trained or written")
