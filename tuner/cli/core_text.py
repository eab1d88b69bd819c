"""The lines of a plan about CORE: what is asked, and how many seeds its noise takes, where that is known."""

from __future__ import annotations

from results.design import Design
from results.statistics.seeds_for import seeds_for, smallest_found
from search_spaces.objectives import CORE, CORE_ERROR
from terminal.console import Console
from terminal.counted import counted
from terminal.short import short
from trainable.data import core_bundle
from trainable.data.preparation import cache_folder
from trainable.evaluation.core import SD_OF_A_RUN
from tuner.cli.scale_text import changed_sizes
from tuner.plan.micro_batch import CHUNKS, MICRO_BATCHES
from tuner.question import Question

DIFFERENCES = (0.005, 0.01, 0.02)
SAME_RECIPE = (MICRO_BATCHES, CHUNKS)  # in how many parts a batch is computed: a plan sets them for memory
PUBLISHED = ("nanochat", "full")  # the space and the scale of which the noise was measured


def print_core(console: Console, question: Question) -> None:
    """Print what is asked at the end of each run, and the noise of CORE where a verdict or a limit is on it."""
    core = question.base.evaluation.core
    if core is None:
        return
    asked = "all questions, as published"
    if core.max_per_task is not None:
        few = counted(core.max_per_task, "question")
        asked = f"the first {few} of each task: not the published CORE, which is of all"
    console.print(f"CORE at the end of each run, of {asked}; its time is in no estimate")
    if not core_bundle.is_here(cache_folder()):
        console.print("the questions of CORE are not on this machine yet: they are downloaded first, from a network")
    measures = {*question.space.objectives, *(limit.measure for limit in question.space.constraints)}
    if measures & {CORE, CORE_ERROR}:
        console.print(noise_line(question.spec.confirm or None, is_as_published(question)))


def is_as_published(question: Question) -> bool:
    """Tell whether the runs are those of nanochat's log in size and data, and asked all questions."""
    core = question.base.evaluation.core
    others = [p for p in changed_sizes(question) if not p.startswith("evaluation.core") and p not in SAME_RECIPE]
    whole = core is not None and core.max_per_task is None
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
