"""Text before a campaign begins: the question, the machines, and with --dry-run the cost."""

from __future__ import annotations

from dataclasses import replace

from results.design import CARRY
from results.replays.budgets import steps_line
from results.store.row_parts import on_the_way
from search_spaces import recorded
from search_spaces.constraints import with_own_limit
from search_spaces.objectives import BY_CLOCK
from terminal.console import Console
from terminal.counted import best_of, counted, number_range
from terminal.duration import duration, durations, step_time
from terminal.short import as_written
from trainable.component_paths import with_value
from trainable.config import UNITS
from trainable.runtime import Runtime
from tuner.cli.core_text import print_core
from tuner.cli.foreseen_text import print_unkept
from tuner.cli.keeping_text import paused_in_words, print_kept
from tuner.cli.scale_text import scale_line
from tuner.cli.search_times import SearchTimes, print_later, print_time, span
from tuner.cluster import capacity
from tuner.command import Planning, Start
from tuner.early_stopping import STOPPERS
from tuner.plan import cost as plan
from tuner.plan import wall_time
from tuner.plan.card_speed import elsewhere
from tuner.plan.compiling import Compiling
from tuner.plan.expected_here import expected_memory, planned_costs
from tuner.plan.foreseen import Foreseen, measures_of
from tuner.plan.known_devices import Hardware, fit_in_words
from tuner.plan.left import Left
from tuner.plan.micro_batch import memory_of_a_trial
from tuner.plan.throughput import LARGEST_ON_CPU, speeds, takes_long
from tuner.plan.trial_cost import RAY_SECONDS
from tuner.proposals import replay_plan
from tuner.question import Question, why_not_stopped
from tuner.search_methods import described

JUDGED = {  # what is judged at a rung, by the name of a fidelity
    "truncate": "the run itself as it stands there",
    "complete": "a run of its own with a short schedule",
    "branch": "a copy with a short decay",
}


def describe(
    console: Console,
    question: Question,
    here: capacity.Cluster,
    slots: int | None = None,
    checkpointing: str = "",
) -> None:
    """Print the question and the machines: this cluster's, or ``slots`` that need not be here.

    ``checkpointing`` is the choice to checkpoint activations, in words, if there was one to make.
    """
    where = here.about if slots is None else counted(slots, "slot")
    space, base = question.space, question.base
    console.print(f"space: {space.name} - {space.question}")
    console.print(scale_line(question))
    limits = {unit: amount for unit in UNITS if (amount := getattr(base.budget, unit)) is not None}
    budget = " or ".join(f"{unit} {amount:g}" for unit, amount in limits.items())
    said = {f"budget.{unit}" for unit in limits} if question.replay is None else set()  # once is enough
    settings = ((path, value) for path, value in question.overrides.items() if path not in said)
    fixed = "".join(f", {path}={as_written(value)}" for path, value in settings)
    if (own := question.original.objectives) != space.objectives:
        console.print(f"objective: {' and '.join(space.objectives)}, in place of {' and '.join(own)}")
    if question.replay is not None:
        describe_replay(console, question, where, fixed)
        print_limits(console, here, slots, checkpointing)
        return
    trials, knobs = counted(question.trials, "trial"), counted(len(space.knobs), "knob")
    console.print(f"plan: {trials} on {where}, {budget} each, {knobs}{fixed}")
    for name, paths in question.lost_knobs.items():
        console.print(f"not searched, since {name} has no such knobs: {', '.join(paths)}")
    print_limits(console, here, slots, checkpointing)
    if question.note:
        console.print(question.note)
    if space.second_objective is not None:
        console.print(f"objectives: the Pareto front of {' and '.join(space.objectives)}; nothing is stopped early")
    carried, wanted = question.spec.carried, question.spec.confirm_scale
    if carried is None:
        console.print(described(question.spec.sampler))
    else:
        taken = best_of(len(carried.trials), "trial")
        console.print(f"carried over: the base and {taken} of campaign {carried.campaign} ({carried.scale})")
    if question.spec.confirm:
        design = question.spec.confirm.among(question.trials - 1)
        console.print(f"confirm: {'nothing: the one trial is the base' if design is None else design.in_words()}")
    if wanted is not None:
        best = best_of(question.spec.carry or CARRY)
        console.print(f"confirm at scale {wanted}: then {best} and the base there, in a campaign of their own")
    print_core(console, question)
    if kept := with_own_limit(space.constraints, base):
        console.print(f"constraints: {'; '.join(map(str, kept))}")
    print_shared(console, question, here, slots)


def print_shared(console: Console, question: Question, here: capacity.Cluster, slots: int | None) -> None:
    """Say that a clock which is minimised or limited depends on the trials beside, where several share the cores."""
    limited = (limit.measure for limit in question.space.constraints)
    asked = [name for name in dict.fromkeys([*question.space.objectives, *limited]) if name in BY_CLOCK]
    if asked and slots is None and here.slots > 1 and not here.has_gpu:
        depend = "depends" if len(asked) == 1 else "depend"
        console.print(
            f"{' and '.join(asked)} {depend} on what runs beside: {counted(here.slots, 'trial')} share the cores "
            "(--concurrent 1: one at a time)"
        )


def print_limits(console: Console, here: capacity.Cluster, slots: int | None, checkpointing: str = "") -> None:
    """Print why no more trials run at a time on this machine, where they are to run on it, and in which memory."""
    for note in here.notes if slots is None else ():
        console.print(note)
    if checkpointing:
        console.print(f"checkpoint activations: {checkpointing}")


def describe_replay(console: Console, question: Question, where: str, fixed: str) -> None:
    """Print the number of recorded runs and of trainings that a replay is made of."""
    assert question.replay is not None
    chosen = replay_plan.choose(question.space, question.replay)
    first_seed = sum(p.config.seed == question.planned[0].config.seed for p in question.planned)
    rows = f"recorded runs {question.replay.reading}: {len(chosen.seeds)}, as different trainings {first_seed}"
    console.print(f"plan: {rows}, with all seeds {counted(question.trials, 'trial')}; on {where}{fixed}")
    logged = {run.id: run.steps for run in recorded.load(question.space) if run.steps}
    pairs = [(p.config.budget.steps, logged[p.recorded_id]) for p in question.planned if p.recorded_id in logged]
    if said := steps_line([(float(here), float(there)) for here, there in pairs if here is not None]):
        console.print(said)
    if chosen.left_out:
        console.print(f"left out: {', '.join(chosen.left_out)}, whose configs were never published")


def print_cost(
    console: Console,
    left: Left,
    here: capacity.Cluster,
    start: Start,
    compiling: Compiling,
    pass_tokens: int | None = None,
) -> None:
    """The answer to --dry-run: what is left of a campaign, on the slots of the plan or those that are here.

    ``pass_tokens`` are the training tokens of the base's data, where these are prepared.
    """
    question, planning = left.question, start.planning
    assert planning is not None, "only a plan has a cost"
    if left.ended:
        of = counted(left.ended + question.trials, "trial")
        console.print(f"left: {question.trials:,} of {of}; the plan below is of what is left")
    if question.trials or question.spec.confirm:
        hardware = planned_for(console, question, here, planning, compiling.compiles)
        slots = planning.num_slots or here.slots
        memory = memory_of_a_trial(question, here, start)
        if memory is not None:
            checkpointing = bool(question.spec.checkpoint_activations)
            fits = fit_in_words(question.base, memory, checkpointing)
            hardware = replace(hardware, memory=fits, trial_memory=expected_memory(question, on_gpu=True))
        costs = print_search_cost if question.replay is None else print_replay_cost
        costs(console, left, slots, hardware, start, compiling, pass_tokens)
        if memory is not None:
            print_scales(console, question, memory)
        print_kept(console, left.whole, slots)


def print_search_cost(
    console: Console,
    left: Left,
    slots: int,
    hardware: Hardware,
    start: Start,
    compiling: Compiling,
    pass_tokens: int | None,
) -> None:
    """The trials of a search, which early stopping makes cheaper, and what comes after them."""
    question, spec = left.question, left.question.spec
    stops, fidelity, cost, late = planned_costs(question, slots, hardware, compiling, pass_tokens)
    rungs = f"{cost.unit} {', '.join(map(str, cost.rungs))} of {cost.budget:g}"
    why = why_not_stopped(question.space)
    console.print(
        f"early stopping: {stops}{'' if stops == 'none' else f' at {rungs}'}; {STOPPERS[stops]}{why and f': it {why}'}"
    )
    if cost.rungs and (by := on_the_way(question.space.objective)) != question.space.objective:
        console.print(
            f"judged there by {by}, of the weights as they are: {question.space.objective} is known at the end"
        )
    if spec.promote:
        console.print(f"promotion: {paused_in_words(left.whole)}")
    if cost.rungs:
        console.print(f"fidelity: {fidelity}, {JUDGED[fidelity]}{f', reported at {rungs}' if stops == 'none' else ''}")
    if cost.tokens is not None:
        console.print(f"tokens: at most {cost.tokens:,} a trial, {cost.tokens * cost.trials:,} in all")
    else:
        needs = ": the data say how many, and are not prepared yet" if cost.unit == "epochs" else ""
        console.print(f"tokens: not known beforehand of a budget in {cost.unit}{needs}")
    console.print(f"speed: {hardware.speed}{_each(cost, late)}")
    print_devices(console, hardware, slots)
    times = SearchTimes(cost, late, wall_time.expect(cost, stops, fidelity) if cost.trials else wall_time.NOTHING)
    if cost.trials:
        print_time(console, times, stops, hardware.hours)
    waves = print_later(console, times, left, slots)
    whole, search = times.in_all(*waves), times.search()
    if cost.trials:
        foreseen = Foreseen(
            measures_of(question.base, cost, hardware.tokens_per_second, hardware.trial_memory),
            cost.whole_seconds,
            None if search is None else search[0],
            None if whole is None else (whole[0], whole[-1]),
            left.measured,
        )
        print_unkept(console, question, start, foreseen)
    print_price(console, start, slots, whole)


def planned_for(
    console: Console, question: Question, here: capacity.Cluster, planning: Planning, compiles: bool
) -> Hardware:
    """Return the hardware of a plan: devices that are named or whose speed is given, or those here, measured.

    What takes long to measure is said before.
    """
    checkpointing = bool(question.spec.checkpoint_activations)
    if planning.is_elsewhere:
        given, graphs = planning.tokens_per_second, bool(question.spec.cuda_graphs)
        return elsewhere(question.base, planning.device, given, checkpointing, compiles, graphs)
    runtime = Runtime.detect(precision=question.base.number_format, checkpoint_activations=checkpointing)
    if (flops := takes_long(question.base, runtime)) is not None:
        console.print(
            f"timing passes of scale {question.scale} on a core, of {flops / 1e9:,.0f} billion operations each, which "
            "takes up to minutes; --device CARD plans without that"
        )
    found = speeds(question.base, runtime, here.slots)
    device, best = f"{'a GPU' if here.has_gpu else 'a core'} of this machine", None if found is None else found.best
    text = said(best, here.has_gpu)
    if found is not None and found.best > 1.05 * found.usual:
        text += f" at best, {found.usual:,.0f} on average as busy as it is now"
    if found is not None and found.together > 1:
        text += f", {found.together} trainings at once"
    if found is not None:
        text += f", {step_time(question.base.data.batch_tokens / found.best)} a step"
    return Hardware(best, text, device, hours="slot-hours", usual=None if found is None else found.usual)


def print_devices(console: Console, hardware: Hardware, slots: int) -> None:
    """Print what the trials run on, and whether it has the memory where that is known."""
    console.print(f"slots: {slots:,}, each like {hardware.device}")
    if hardware.memory:
        console.print(f"memory: {hardware.memory}")


def print_scales(console: Console, question: Question, memory: float) -> None:
    """Print of the space's other scales whether their base configs would fit the memory of a trial."""
    for name, scale in question.original.scales.items():
        if name != question.scale:
            base = with_value(scale.base, "precision", question.base.precision)
            console.print(f"memory at scale {name}: {fit_in_words(base, memory)}")


def print_price(console: Console, start: Start, slots: int, seconds: list[float] | None) -> None:
    """Print the devices' price until the end, at least and at most: they are held also while some of them wait."""
    price = None if start.planning is None else start.planning.price
    if price is None:
        return
    if seconds is None:
        console.print("cost: not known, as the time is not (--device or --tokens-per-second)")
        return
    low, high = (each / 3600 * slots for each in (seconds[0], seconds[-1]))
    hours, money = span(low, high), span(low * price, high * price)
    console.print(f"cost: about {money} for {hours} device-hours at {price:g}: {slots:,} held to the end")


def said(speed: float | None, has_gpu: bool) -> str:
    """A measured speed, or that there is none."""
    if speed is None and has_gpu:
        return "not measured: a micro-batch does not fit this GPU's memory"
    if speed is None:
        return f"not measured: a model of over {LARGEST_ON_CPU:,} parameters or with long rows is not timed on a CPU"
    return f"{speed:,.0f} tokens/s here"


def _each(cost: plan.Plan, late: plan.Plan) -> str:
    """Describe the time of a whole trial, and what it does beside its training."""
    if cost.seconds is None or late.seconds is None or cost.whole_seconds is None or late.whole_seconds is None:
        return ""
    share = cost.evaluation_share
    evaluations = "but not its evaluations (of all the text)" if share is None else f"evaluations ({share:.0%} of it)"
    start, compiled = cost.beside.start, cost.beside.compiling
    began = f"start ({start / cost.whole_seconds:.0%} of it{f', compiling {duration(compiled)}' if compiled else ''})"
    others = f"{began}{', ' if share is None else ' and '}{evaluations}"
    return f": {durations(cost.whole_seconds, late.whole_seconds)} a trial, with its {others}"


def print_replay_cost(
    console: Console,
    left: Left,
    slots: int,
    hardware: Hardware,
    start: Start,
    compiling: Compiling,
    pass_tokens: int | None,
) -> None:
    """The trainings of a replay: every one is whole, and their budgets differ."""
    question = left.question
    tokens = [
        plan.tokens_of(p.config, pass_tokens if p.config.data == question.base.data else None) for p in question.planned
    ]
    known = [count for count in tokens if count is not None]
    if known:
        console.print(f"tokens: {number_range(min(known), max(known))} a trial, {sum(known):,} in all")
        console.print(f"speed: {hardware.speed}, of the base")
    print_devices(console, hardware, slots)
    seconds, foreseen = None, Foreseen({})
    if known and hardware.tokens_per_second is not None:
        configs = [p.config for p, count in zip(question.planned, tokens, strict=True) if count is not None]
        reports = question.spec.reports or 0
        each = [
            [
                n / hardware.speed_of(c, speed) + hardware.beside(c, speed, compiling.seconds).of(reports)
                for n, c in zip(known, configs, strict=True)
            ]
            for speed in (hardware.tokens_per_second, hardware.usual or hardware.tokens_per_second)
        ]
        seconds = [RAY_SECONDS + plan.waves(costs, slots) for costs in each]
        _, _, cost, _ = planned_costs(question, slots, hardware, compiling, pass_tokens)
        measures = measures_of(question.base, cost, hardware.tokens_per_second, hardware.trial_memory)
        foreseen = Foreseen(measures, min(map(min, each)), seconds[0], measured=left.measured)
        used = span(*(sum(costs) / 3600 for costs in each))
        began = sum(hardware.beside(c, None, compiling.seconds).start for c in configs) / min(map(sum, each))
        console.print(
            f"time: about {durations(*seconds)} with {counted(slots, 'slot')}, {used} {hardware.hours}, of which "
            f"{began:.0%} is the trials' start; {duration(RAY_SECONDS)} is Ray's"
        )
        if len(known) < len(tokens):
            console.print(
                f"not counted: {counted(len(tokens) - len(known), 'training')} whose tokens are not known beforehand"
            )
    print_unkept(console, question, start, foreseen)
    print_price(console, start, slots, seconds)
