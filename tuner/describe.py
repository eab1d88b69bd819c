"""What is printed before a campaign begins: what is asked, of which machines, and with --dry-run what it costs."""

from __future__ import annotations

from rich.console import Console

from results.confirmation import Design
from trainable.runtime import Runtime
from tuner import cluster, plan, replay, schedule
from tuner.display import clock
from tuner.early_stopping import STOPPERS
from tuner.question import Question


def describe(console: Console, question: Question, here: cluster.Cluster, confirm: Design | None = None) -> None:
    """What is about to be asked, and of what."""
    space, base = question.space, question.base
    console.print(f"space: {space.name} - {space.question}")
    console.print(f"scale: {question.scale} - {space.scale(question.scale).about}")
    fixed = "".join(f", {path}={value}" for path, value in question.overrides.items())
    budget = f"{base.budget.unit} {base.budget.amount:g}"
    if question.replay is not None:
        describe_replay(console, question, here)
        return
    console.print(f"plan: {question.trials} trials on {here.about}, {budget} each, {len(space.knobs)} knobs{fixed}")
    if space.second_objective is not None:
        console.print(f"objectives: the Pareto front of {' and '.join(space.objectives)}; nothing is stopped early")
    if confirm is not None:
        console.print(f"confirm: {confirmation(confirm)}")
    if space.constraints:
        console.print(f"constraints: {'; '.join(map(str, space.constraints))}")


def confirmation(design: Design) -> str:
    """What a design means."""
    seeds = f"{design.first} fresh seeds" + (
        f", to {design.last} where undecided" if design.last > design.first else ""
    )
    runs = f"{design.fewest_runs}" + (f" to {design.most_runs}" if design.last > design.first else "")
    return f"after the search the best {design.candidates} and the base on {seeds}: {runs} runs (--no-confirm: none)"


def describe_replay(console: Console, question: Question, here: cluster.Cluster) -> None:
    """Which recorded runs, and how many trainings they are."""
    assert question.replay is not None
    chosen = replay.choose(question.space, question.replay)
    first_seed = sum(p.config.seed == question.planned[0].config.seed for p in question.planned)
    rows = f"{len(chosen.seeds)} recorded runs {question.replay.reading}, which are {first_seed} different trainings"
    console.print(f"plan: {rows}; {question.trials} trials with all seeds, on {here.about}")
    if chosen.left_out:
        console.print(f"left out: {', '.join(chosen.left_out)}, whose configs were never published")


def print_cost(
    console: Console,
    question: Question,
    here: cluster.Cluster,
    stopper: str,
    fidelity: str,
    confirm: Design | None = None,
    slots: int | None = None,
) -> None:
    """The answer to --dry-run, for so many ``slots`` instead of those that are here."""
    speed, slots = plan.measure_tokens_per_second(question.base, Runtime.detect()), slots or here.slots
    if question.replay is not None:
        print_replay_cost(console, question, slots, speed)
        return
    stops = stopper if question.space.measured_on_the_way else "none"
    cost = plan.plan(question.base, question.trials, slots, stops, speed, fidelity)
    rungs = ", ".join(map(str, cost.rungs)) or "none"
    console.print(f"early stopping: {stops} at {cost.unit} {rungs} of {cost.budget:g}; {STOPPERS[stops]}")
    console.print(f"fidelity: {fidelity}")
    if cost.tokens is not None:
        console.print(f"tokens: {cost.tokens:,} a trial, at most {cost.tokens * cost.trials:,} in all")
    if cost.seconds is not None and cost.total_seconds is not None:
        console.print(
            f"speed: {speed:,.0f} tokens/s forward and backward on this machine, so {clock(cost.seconds)} a trial"
        )
        print_time(console, cost, schedule.expect(cost, stops, fidelity))
    if confirm is not None and cost.seconds is not None:
        fewest, most = (clock(runs * cost.seconds / slots) for runs in (confirm.fewest_runs, confirm.most_runs))
        console.print(f"confirmation: {fewest} to {most} after it")
    console.print("dry run: nothing was trained or written")


def print_time(console: Console, cost: plan.Plan, expected: schedule.Schedule) -> None:
    """How long a search will take and what it will cost, as its schedule was simulated."""
    assert cost.seconds is not None and cost.total_seconds is not None
    hours = expected.compute * cost.seconds / 3600
    console.print(
        f"time: about {clock(expected.wall * cost.seconds)} with {cost.slots} slots, {hours:.3g} device-hours in all "
        f"({expected.compute:.3g} of {cost.trials} whole trials)"
    )
    if cost.rungs:
        console.print(f"time without early stopping: {clock(expected.wall_unstopped * cost.seconds)}")


def print_replay_cost(console: Console, question: Question, slots: int, speed: float) -> None:
    """The answer to --dry-run --replay: every training is whole, and their budgets differ."""
    tokens = [plan.tokens_of(planned.config) for planned in question.planned]
    known = [count for count in tokens if count is not None]
    if known:
        console.print(f"tokens: {min(known):,} to {max(known):,} a trial, {sum(known):,} in all")
        seconds = clock(sum(known) / speed / slots)
        console.print(f"time: about {seconds} at the base's {speed:,.0f} tokens/s forward and backward")
    console.print("dry run: nothing was trained or written")
