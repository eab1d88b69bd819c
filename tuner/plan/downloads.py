"""Downloads that a campaign still needs, asked for before anything else: data, vocabularies, CORE's questions."""

from __future__ import annotations

from search_spaces import constraints
from search_spaces.objectives import CORE, CORE_ERROR
from terminal.console import Console
from trainable.data.network_failure import NotDownloadedError
from trainable.data.preparation import check_source, known_vocab_size, published_vocabulary
from trainable.data.sources import DOWNLOADED, STDLIB
from trainable.evaluation.core_score import ready
from trainable.prepare_ahead import check_no_campaign
from tuner.plan import cost as plan
from tuner.question import Question

CORE_PATH = "evaluation.core"


def check_downloads(console: Console, question: Question, download_now: bool, begun: bool = False) -> str:
    """Say in a line what of the base's data lacks; a ValueError for what a trial reads and cannot be had.

    With ``download_now`` it is tried; a plan only looks. A campaign that has ``begun`` can ask for nothing else.
    """
    base = question.base
    check_no_campaign(base.data.source, "; `python -m trainable.data prepare {0}` prepares it for --data {0}")
    try:
        lacking = check_source(base.data, plan.tokens_of(base), download_now)
    except NotDownloadedError as error:
        raise NotDownloadedError(f"{error}{'' if begun else other_data(question)}") from None
    if download_now and base.evaluation.core is not None:
        try:
            ready(base.evaluation.core, lambda line: console.print(line))
        except NotDownloadedError as error:
            raise NotDownloadedError(f"{error}{'' if begun else without_core(question)}") from None
    seen = {base.data}
    for planned in question.planned:
        config = planned.config
        if config.data in seen:
            continue
        seen.add(config.data)
        try:
            check_source(config.data, plan.tokens_of(config), download_now)
        except ValueError as error:
            raise ValueError(f"recorded run {planned.recorded_id!r}: {error}") from None
    return lacking


def check_limits(question: Question) -> None:
    """Raise a ValueError where the base breaks a limit that is known before its data have come.

    The parameters are those with the vocabulary of the data, where they are here: see ``known_vocab_size``.
    """
    base, limits = question.base, question.space.constraints
    try:
        constraints.check(limits, base, known_vocab_size(base.data))
    except constraints.BrokenByBaseError as error:
        published = published_vocabulary(base.data, plan.tokens_of(base))
        raise ValueError(f"{error}{published and f', {published}'}") from None


def other_data(question: Question) -> str:
    """The end of a message about data that cannot be had: what the same command may read instead."""
    data, scales = question.base.data, question.original.scales
    if data.source not in DOWNLOADED:
        return f"; or leave out data.tokenizer={data.tokenizer}: then a vocabulary is learnt on the text"
    needs_none = [name for name, scale in scales.items() if scale.base.data.source == STDLIB and name != question.scale]
    small = f" (--scale {needs_none[0]} reads that)" if needs_none else ""
    return f"; or give --data FOLDER with shards or texts, or --data {STDLIB}{small}"


def without_core(question: Question) -> str:
    """The end of a message about CORE's questions: what of the command asks for them, all of which must go."""
    space = question.space
    asked = [f"--objective {name}" for name in space.objectives if name in (CORE, CORE_ERROR)]
    asked += [f"--constraint '{limit}'" for limit in space.constraints if limit.measure in (CORE, CORE_ERROR)]
    given = [path for path in question.overrides if path == CORE_PATH or path.startswith(f"{CORE_PATH}.")]
    asked += [f"--set {path}" for path in given]
    left = f"; or leave out {' and '.join(asked)}" if asked else ""
    return left if given else f"{left}{', and' if asked else '; or'} give --set {CORE_PATH}=null"
