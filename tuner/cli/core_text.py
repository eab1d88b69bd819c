"""The lines of a plan about CORE: what is asked, and how many seeds its noise takes, where that is known."""

from __future__ import annotations

from collections.abc import Sequence

from results.design import Design
from results.statistics.seeds_for import seeds_for, smallest_found
from search_spaces.objectives import CORE, CORE_ERROR
from terminal.console import Console
from terminal.counted import counted
from terminal.short import short
from trainable.data import core_bundle
from trainable.data.core_bundle import CoreQuestion, CoreTask
from trainable.data.preparation import cache_folder
from trainable.evaluation.core import SD_OF_A_RUN, Core
from trainable.evaluation.core_score import ready
from tuner.cli.scale_text import changed_sizes
from tuner.plan.micro_batch import CHUNKS, MICRO_BATCHES
from tuner.question import Question

DIFFERENCES = (0.005, 0.01, 0.02)
SAME_RECIPE = (MICRO_BATCHES, CHUNKS)  # in how many parts a batch is computed: a plan sets them for memory
PUBLISHED_TASKS = 22
PUBLISHED = ("nanochat", "full")  # the space and the scale of which the noise was measured


def print_core(console: Console, question: Question) -> None:
    """Print what is asked at the end of each run, and the noise of CORE where a verdict or a limit is on it.

    A ValueError where the questions that are on this machine are none.
    """
    core = question.base.evaluation.core
    if core is None:
        return
    here = ready(core) if core_bundle.is_here(cache_folder()) else None
    console.print(f"CORE at the end of each run, of {_asked(core, here)}; its time is in no estimate")
    if here is None:
        console.print("the questions of CORE are not on this machine yet: they are downloaded first, from a network")
    measures = {*question.space.objectives, *(limit.measure for limit in question.space.constraints)}
    if measures & {CORE, CORE_ERROR}:
        tasks = PUBLISHED_TASKS if here is None else len(here)
        console.print(noise_line(question.spec.confirm or None, is_as_published(question, tasks)))


def _asked(core: Core, here: Sequence[tuple[CoreTask, list[CoreQuestion]]] | None) -> str:
    """Say which questions are asked: counted where they are on this machine, else as they are published."""
    if here is None:
        there = "all questions, as published"
        if core.max_per_task is not None:
            there = f"the first {counted(core.max_per_task, 'question')} of each task"
    else:
        tasks, questions = counted(len(here), "task"), counted(sum(len(asked) for _, asked in here), "question")
        there = f"all {questions} of the {tasks} on this machine"
        if core.max_per_task is not None:
            each = counted(core.max_per_task, "question")
            there = f"the first {each} of each of the {tasks} on this machine, {questions} in all"
    unlike = []
    if here is not None and len(here) != PUBLISHED_TASKS:
        unlike.append(f"{PUBLISHED_TASKS} tasks")
    if core.max_per_task is not None:
        unlike.append("all their questions")
    return f"{there}: not the published CORE, which is of {' and of '.join(unlike)}" if unlike else there


def is_as_published(question: Question, tasks: int) -> bool:
    """Tell whether the runs are those of nanochat's log in size and data, and asked all questions of all tasks."""
    core = question.base.evaluation.core
    others = [p for p in changed_sizes(question) if not p.startswith("evaluation.core") and p not in SAME_RECIPE]
    whole = core is not None and core.max_per_task is None and tasks == PUBLISHED_TASKS
    return (question.space.name, question.scale) == PUBLISHED and whole and not others


def noise_line(design: Design | None, as_published: bool) -> str:
    """Say what differences in CORE take, seeds of each config: by the noise that nanochat's log shows, where it holds.

    Of another size, other data or fewer questions nobody has measured it.
    """
    if not as_published:
        measures = "a confirmation on fresh seeds (--confirm)" if design is None else "the confirmation"
        of = f"{SD_OF_A_RUN}, the SD over seven runs in nanochat's log, is of its full scale and all questions"
        return f"noise of CORE: not known of these runs ({of}); {measures} measures it"
    takes = ", ".join(f"{seeds_for(d, SD_OF_A_RUN)} for {short(d)}" for d in DIFFERENCES)
    recipe = "seven runs of one recipe of this size in nanochat's log"
    said = f"noise of CORE: SD {SD_OF_A_RUN} over {recipe}; seeds that a difference takes: {takes}"
    if design is None:
        return said
    most = max(design.last, design.alone or 0)
    return f"{said}; the {most} of this confirmation find {short(smallest_found(most, SD_OF_A_RUN))}"
