"""Data that are too little for what is asked of them: how much there is and is needed, and which setting helps."""

from __future__ import annotations

from terminal.counted import counted

from trainable.config import TrainConfig
from trainable.data import epochs
from trainable.data.dataset import Dataset
from trainable.data.more_text import AT_LEAST, more_text, there_are
from trainable.data.text_size import TextSize
from trainable.evaluation.core_score import check_questions
from trainable.evaluation.evaluate import EvaluationConfig, asked_for, check_targets, setting_of, wanted


def check_enough(dataset: Dataset, config: TrainConfig) -> None:
    """Raise a ValueError unless the data are enough for each evaluation and each pass of a run."""
    check_targets(dataset, config.evaluation)
    _check_mainrun(dataset, config.evaluation)
    if config.evaluation.core is not None:
        check_questions(dataset, config.evaluation.core)
    epochs.check_pass(dataset.train, config.data)


def check_text(size: TextSize, config: TrainConfig) -> None:
    """Raise a ValueError for text of which the bytes alone tell that it is too little. No tokenizer is asked."""
    pairs = size.train.bytes - size.train.documents  # each merge joins two neighbours, so there are no more of them
    if config.data.tokenizer is None and pairs < config.data.vocab_size - 257:
        raise ValueError(
            f"the vocabulary cannot have {config.data.vocab_size:,} tokens: the text has at most "
            f"{counted(pairs, 'pair')} to merge; give more text ({there_are(size.bytes)}), or --set data.vocab_size=N "
            f"with an N of at most {pairs + 257}"
        )
    evaluation, most = config.evaluation, size.validation.most_tokens
    needed, rows = asked_for(evaluation)[1], evaluation.mainrun_rows
    if most - 1 < needed:
        there = (
            f"the {counted(size.validation.bytes, 'byte')} of validation text are at most {most - 1:,} target tokens"
        )
        helps, setting = more_text(size.bytes, needed, most - 1, AT_LEAST), setting_of(evaluation, most - 1)
        raise ValueError(f"{wanted(evaluation)} but {there}: {helps}{setting}{' or less' if setting else ''}")
    if rows is not None and most < (span := rows * evaluation.seq_len + 1):
        there = f"the {counted(size.validation.bytes, 'byte')} of validation text are at most {most:,} tokens"
        helps = more_text(size.bytes, span, most, AT_LEAST)
        raise ValueError(f"evaluation.mainrun_rows is {rows} of {evaluation.seq_len} tokens but {there}: {helps}")
    batch, most = config.data.batch_tokens, size.train.most_tokens
    if config.data.order == epochs.EPOCHS and most <= batch:
        there = f"the {counted(size.train.bytes, 'byte')} of training text are at most {most:,} tokens"
        raise ValueError(
            f"data.batch_tokens is {batch:,} but {there}: {more_text(size.bytes, batch + 1, most, AT_LEAST)}"
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
            f"than the {there:,} validation tokens: {more_text(dataset.text_bytes, span, there)}{setting}"
        )
