"""Lines of a plan about what a campaign keeps: whose weights, whose checkpoints, and the disk that they take."""

from __future__ import annotations

from terminal.counted import counted
from terminal.size import size
from trainable.data.preparation import known_vocab_size
from trainable.weights import num_bytes
from trainable.worker.attempt import CHECKPOINTS_KEPT
from tuner.question import Question
from tuner.spec import AT_VALIDATION, KEEP_ALL, KEEP_CONFIRMED, KEEP_NONE, MOST_PAUSED


def kept_in_words(question: Question, slots: int) -> str:
    """Describe what ``--keep`` leaves on the disk, by the size of the base's weights; others may be larger."""
    which = question.spec.keep
    if which == KEEP_NONE:
        return "none are kept (--keep confirmed: the winner's and the base's)"
    vocab_size = known_vocab_size(question.base.data)
    each = None if vocab_size is None else num_bytes(question.base, vocab_size)
    unit = "how large they are depends on the shards' vocabulary" if each is None else f"{size(each)} each as the base"

    def of(files: int) -> str:
        return counted(files, "file") + ("" if each is None else f", {size(files * each)}")

    confirm = question.spec.confirm or None
    if which == KEEP_ALL:
        most = question.trials + (confirm.most_runs if confirm else 0)
        return f"of all trials that complete, at most {of(most)}; {unit} (--keep none: no weights)"
    candidates = confirm.candidates if confirm and which == KEEP_CONFIRMED else 1
    way = f"on the way at most {of(1 + candidates + slots)}"
    if question.replay is not None or question.space.second_objective is not None:
        best = "best trial" if question.replay is not None else "front"
        return f"the {best} and the base stay; {unit} (--keep none: no weights)"
    whose = "the winner and the base" if candidates > 1 else "the best trial and the base"
    return f"{whose} stay, {of(2)}; {way}; {unit} (--keep none: no weights)"


def paused_in_words(question: Question) -> str:
    """Describe what trials that may go on again leave on the disk while the search lasts."""
    vocab_size = known_vocab_size(question.base.data)
    each = ""
    if vocab_size is not None:  # weights, and of each one or two moments, by its optimizer
        weights = num_bytes(question.base, vocab_size)
        each = f", {size(2 * weights)} to {size(3 * weights)} each as the base"
    when = "a stopped trial goes on where trials that finish after it give it the chance of a new one"
    return f"{when}; the checkpoints of at most {MOST_PAUSED} stay until then{each} (--no-promote: none)"


def checkpoints_in_words(question: Question, slots: int) -> str:
    """Describe what ``--checkpoint-every`` writes: when, how many stay, and where."""
    every = question.spec.checkpoint_every
    moment = "at each validation" if every == AT_VALIDATION else f"every {counted(int(every or 0), 'step')}"
    most = counted(CHECKPOINTS_KEPT * slots, "file")
    last = f"the last {CHECKPOINTS_KEPT} of each running trial stay, {most}, until it ends"
    return f"{moment}, and every five minutes; {last}"
