"""Data that are too little for what is asked of them: how much there is and is needed, and which setting helps."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from terminal.counted import counted

from trainable import epochs

if TYPE_CHECKING:  # these ask here
    from trainable.config import TrainConfig
    from trainable.data import Dataset
    from trainable.evaluate import EvaluationConfig
    from trainable.text_size import TextSize

HELD_OUT = "of which a tenth is held out"
AT_LEAST = "at least"


def check_enough(dataset: Dataset, config: TrainConfig) -> None:
    """A ValueError unless the data are enough for each evaluation and each pass of a run."""
    check_targets(dataset, config.evaluation)
    _check_mainrun(dataset, config.evaluation)
    epochs.check_pass(dataset.train, config.data)


def check_targets(dataset: Dataset, config: EvaluationConfig) -> None:
    """A ValueError where the validation stream has fewer target tokens than are to be scored."""
    available = len(dataset.validation) - 1
    if available < (config.tokens or config.seq_len):
        there = f"the validation stream has only {available:,} target tokens"
        helps = _more_text(dataset.text_bytes, config.tokens or config.seq_len, available)
        raise ValueError(f"{_wanted(config)} but {there}: {helps}{_setting(config, available)}")


def check_text(size: TextSize, config: TrainConfig) -> None:
    """A ValueError for text of which the bytes alone tell that it is too little. No tokenizer is asked."""
    pairs = size.train.bytes - size.train.documents  # each merge joins two neighbours, so there are no more of them
    if pairs < config.data.vocab_size - 257:
        raise ValueError(
            f"the vocabulary cannot have {config.data.vocab_size:,} tokens: the text has at most "
            f"{counted(pairs, 'pair')} to merge; give more text ({_text(size.bytes)}), or --set data.vocab_size=N with "
            f"an N of at most {pairs + 257}"
        )
    evaluation, most = config.evaluation, size.validation.most_tokens
    needed, rows = evaluation.tokens or evaluation.seq_len, evaluation.mainrun_rows
    if most - 1 < needed:
        there = (
            f"the {counted(size.validation.bytes, 'byte')} of validation text are at most {most - 1:,} target tokens"
        )
        helps, setting = _more_text(size.bytes, needed, most - 1, AT_LEAST), _setting(evaluation, most - 1)
        raise ValueError(f"{_wanted(evaluation)} but {there}: {helps}{setting}{' or less' if setting else ''}")
    if rows is not None and most < (span := rows * evaluation.seq_len + 1):
        there = f"the {counted(size.validation.bytes, 'byte')} of validation text are at most {most:,} tokens"
        helps = _more_text(size.bytes, span, most, AT_LEAST)
        raise ValueError(f"evaluation.mainrun_rows is {rows} of {evaluation.seq_len} tokens but {there}: {helps}")
    batch, most = config.data.batch_tokens, size.train.most_tokens
    if config.data.order == epochs.EPOCHS and most <= batch:
        there = f"the {counted(size.train.bytes, 'byte')} of training text are at most {most:,} tokens"
        raise ValueError(
            f"data.batch_tokens is {batch:,} but {there}: {_more_text(size.bytes, batch + 1, most, AT_LEAST)}"
        )


def _check_mainrun(dataset: Dataset, config: EvaluationConfig) -> None:
    if config.mainrun_rows is None:
        return
    if dataset.characters is None:
        raise ValueError("evaluation.mainrun_rows needs a source of text: these shards do not say what characters are")
    rows, there = config.mainrun_rows, len(dataset.validation)
    span = rows * config.seq_len + 1
    if there < span:
        fits = (there - 1) // config.seq_len
        setting = f", or --set evaluation.mainrun_rows={fits}" if fits else ""
        raise ValueError(
            f"evaluation.mainrun_rows is {rows} but {counted(rows, 'row')} of {config.seq_len} and a target are more "
            f"than the {there:,} validation tokens: {_more_text(dataset.text_bytes, span, there)}{setting}"
        )


def _wanted(config: EvaluationConfig) -> str:
    if config.tokens:
        return f"evaluation.tokens is {config.tokens:,}"
    return f"evaluation.seq_len is {config.seq_len:,}"


def _more_text(text_bytes: int | None, needed: int, available: int, amount: str = "about") -> str:
    """The end of a message: how much data would be enough; of text by its bytes, if it went on as it is.

    Where ``available`` is what there can be at most, the ``amount`` is "at least" so much.
    """
    if text_bytes is None:
        return f"give a validation split of at least {needed + 1:,} tokens"
    return f"give {amount} {_round_up(text_bytes * needed / max(1, available)):,} bytes of text ({_text(text_bytes)})"


def _text(text_bytes: int) -> str:
    return f"there are {text_bytes:,}, {HELD_OUT}"


def _round_up(number: float) -> int:
    """To two digits."""
    unit = int(10 ** max(0, math.floor(math.log10(max(1, number))) - 1))
    return math.ceil(number / unit) * unit


def _setting(config: EvaluationConfig, available: int) -> str:
    """The end of a message: settings under which so many target tokens are enough; empty where there are none."""
    if available < 1:
        return ""
    if available >= config.seq_len:
        fits = replace(config, tokens=available // config.seq_len * config.seq_len)
        return f", or --set evaluation.tokens={fits.tokens}"
    length = 1 << (available.bit_length() - 1)
    try:
        replace(config, seq_len=length, tokens=length)
    except ValueError:  # windows and chunks of other lengths depend on them
        return ""
    return f", or --set evaluation.seq_len={length} --set evaluation.tokens={length}"
