"""Lines of a plan about what a campaign keeps: whose weights, whose checkpoints, and the disk that they take."""

from __future__ import annotations

from results.design import Design
from terminal.console import Console
from terminal.counted import counted
from terminal.size import size
from trainable.data.preparation import known_vocab_size
from trainable.monitors import MONITORS, NO_MONITORS, Monitors
from trainable.weights import num_bytes
from trainable.worker.attempt import CHECKPOINTS_KEPT
from tuner.question import Question
from tuner.spec import AT_NONE, AT_VALIDATION, KEEP_ALL, KEEP_CONFIRMED, KEEP_NONE, MOST_PAUSED


def print_kept(console: Console, question: Question, slots: int) -> None:
    """Print whose weights stay, what curves say, and the checkpoints that are asked for."""
    console.print(f"weights: {kept_in_words(question, slots)}")
    console.print(f"monitors: {monitors_in_words(question)}")
    if question.spec.checkpoint_every not in (None, AT_NONE):
        console.print(f"checkpoints: {checkpoints_in_words(question, slots)}")


def kept_in_words(question: Question, slots: int) -> str:
    """Describe what ``--keep`` leaves on the disk, by the size of the base's weights; others may be larger."""
    which = question.spec.keep
    if which == KEEP_NONE:
        return "none are kept (--keep confirmed: the winner's and the base's)"
    each = _weights_bytes(question)
    unit = "how large they are depends on the shards' vocabulary" if each is None else f"{size(each)} each as the base"

    def of(files: int) -> str:
        return counted(files, "file") + ("" if each is None else f", {size(files * each)}")

    confirm = confirmed(question)
    if which == KEEP_ALL:
        limited = ", but none of those beyond a limit" if question.space.constraints else ""
        return (
            f"of all trials that complete{limited}, at most {of(most_runs(question))}; {unit} (--keep none: no weights)"
        )
    if question.replay is not None or question.space.second_objective is not None:
        best = "best trial" if question.replay is not None else "front"
        return f"the {best} and the base stay; {unit} (--keep none: no weights)"
    if question.trials == 1:
        return f"those of the one trial stay, {of(1)} (--keep none: no weights)"
    candidates = confirm.candidates if confirm and which == KEEP_CONFIRMED else 1
    way = f"on the way at most {of(min(1 + candidates + slots, most_runs(question)))}"
    whose = "the winner and the base" if candidates > 1 else "the best trial and the base"
    return f"{whose} stay, {of(2)}; {way}; {unit} (--keep none: no weights)"


def monitors_in_words(question: Question) -> str:
    """Describe what curves say beside losses, gradient norms and rates, and how to leave it out."""
    asked = Monitors.of_text(question.spec.monitor or NO_MONITORS)
    if not asked.names:
        return f"none; curves have losses, gradient norms and rates (--monitor {','.join(MONITORS)}: more)"
    return f"{', '.join(asked.names)} in each trial's curve, for under 1 % of a step (--monitor none: none)"


def paused_in_words(question: Question) -> str:
    """Describe what trials that may go on again leave on the disk while the search lasts."""
    most = min(MOST_PAUSED, question.trials - 1)  # the base is never stopped
    if not most:
        return "none: the base is never stopped, and there is no other trial"
    when = "a stopped trial goes on where trials that finish after it give it the chance of a new one"
    stay = f"the checkpoints of at most {most} stay" if most > 1 else "the checkpoint of the one that may stop stays"
    return f"{when}; {stay} until then{_checkpoint_sizes(question)} (--no-promote: none)"


def checkpoints_in_words(question: Question, slots: int) -> str:
    """Describe what ``--checkpoint-every`` writes: when, how many stay, how large they are, and until when."""
    every = question.spec.checkpoint_every
    moment = "at each validation" if every == AT_VALIDATION else f"every {counted(int(every or 0), 'step')}"
    most = counted(CHECKPOINTS_KEPT * min(slots, most_runs(question)), "file")
    last = f"the last {CHECKPOINTS_KEPT} of each running trial stay, {most}, until it ends"
    return f"{moment}, and every five minutes; {last}{_checkpoint_sizes(question)}"


def most_runs(question: Question) -> int:
    """Return how many trials and runs after the search a campaign has at most."""
    confirm = confirmed(question)
    return question.trials + (confirm.most_runs if confirm else 0)


def confirmed(question: Question) -> Design | None:
    """Return the confirmation of as many candidates as there can be; None without one."""
    return question.spec.confirm.among(question.trials - 1) if question.spec.confirm else None


def _weights_bytes(question: Question) -> int | None:
    vocab_size = known_vocab_size(question.base.data)
    return None if vocab_size is None else num_bytes(question.base, vocab_size)


def _checkpoint_sizes(question: Question) -> str:
    """Give the size of a checkpoint of the base: weights, and of each one or two moments, by its optimizer."""
    weights = _weights_bytes(question)
    return "" if weights is None else f", {size(2 * weights)} to {size(3 * weights)} each as the base"
