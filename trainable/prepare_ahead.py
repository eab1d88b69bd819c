"""Data that are prepared before anything is trained, and the one command that reads what was prepared."""

from __future__ import annotations

import dataclasses
import math
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainable.campaign_runs import DATA_OF, CampaignRun, campaign_run
from trainable.config import TrainConfig
from trainable.data import download, preparation, sources
from trainable.data.dataset import DataConfig, Dataset
from trainable.data.more_text import more_text
from trainable.data.named import RECIPES
from trainable.data.prepared_folder import Say
from trainable.data.sources import DOWNLOADED, STDLIB
from trainable.data.text_size import measure
from trainable.evaluation.enough import check_enough, check_text
from trainable.evaluation.evaluate import EvaluationConfig, available_targets


@dataclass(frozen=True)
class PreparedAhead:
    """Data that were prepared, and how a search reads them."""

    dataset: Dataset
    folder: Path
    command: str
    note: str = ""  # what the command scores otherwise than a run of its scale


def prepare_ahead(
    source: str, settings: Mapping[str, Any], tokens: int | None, scale: str | None, say: Say
) -> PreparedAhead:
    """Prepare a source, by its name or path, as a run of a scale reads it unless other settings are given.

    ``tokens`` are those of training, in whole steps; null is as many as a run reads. A ValueError where the data cannot
    be had, or are so little that no run can be scored on them.
    """
    check_no_campaign(source)
    run = campaign_run(source, scale)
    data = _as_asked(run, settings, tokens)
    needed = _whole_steps(run if tokens is None else replace(run, tokens=tokens), data)
    preparation.check_source(data, needed)
    _check_used(source, settings, tokens)
    if (text := preparation.text_source(data)) is not None and preparation.prepared(data) is None:
        window = EvaluationConfig(seq_len=run.evaluation.seq_len)
        check_text(measure(text), TrainConfig(data=data, evaluation=window))
    dataset = preparation.prepare(data, None, needed, say)
    by_name = source in (*DOWNLOADED, STDLIB)
    place = source if by_name else str(dataset.train.paths[0].parent)
    if not by_name:
        data = run.data
    if (row := dataset.train.row_tokens) is not None:
        data = _as_asked(run, {**(settings if by_name else {}), "seq_len": row - 1}, tokens)
    evaluation = _scored(run, dataset)
    check_enough(dataset, TrainConfig(data=data, evaluation=evaluation))
    changes = _changes("data", run.data, data) | _changes("evaluation", run.evaluation, evaluation)
    if needed is not None and _takes_tokens(source):
        changes |= _budget(run, data, needed, tokens is not None)
    sets = "".join(f" --set {path}={_text(value)}" for path, value in changes.items())
    command = f"python -m tuner.run --space {run.space} --scale {run.scale} --data {shlex.quote(place)}{sets}"
    return PreparedAhead(dataset, dataset.train.paths[0].parent, command, _note(run, evaluation, dataset))


def check_no_campaign(source: str, advice: str = "") -> None:
    """Raise a ValueError for the name of a campaign, or a word of it, with what that reads: it is no name of data.

    ``advice`` ends the message, with the name of the data for ``{}``.
    """
    if source in (*DOWNLOADED, STDLIB) or os.path.lexists(source):
        return
    found = {space: name for space, name in DATA_OF.items() if source == space or source in space.split("_")}
    if found:
        reads = " and ".join(f"{space} reads {name}" for space, name in found.items())
        more = advice.format(next(iter(found.values())))
        raise ValueError(f"{source!r} is a campaign, and no name of data: {reads}{more}")


def _as_asked(run: CampaignRun, settings: Mapping[str, Any], tokens: int | None) -> DataConfig:
    """The run's data with other settings, in batches that their rows fill: no larger than all that is prepared."""
    row = settings.get("seq_len", run.data.seq_len)
    wanted = tokens or run.tokens
    most = run.data.batch_tokens if wanted is None else min(run.data.batch_tokens, math.ceil(wanted / row) * row)
    if most == run.data.batch_tokens and most % (row * run.data.grad_accum_steps) == 0:
        return replace(run.data, **settings)
    return replace(run.data, **settings, batch_tokens=max(row, most // row * row), grad_accum_steps=1)


def _whole_steps(run: CampaignRun, data: DataConfig) -> int | None:
    return None if run.tokens is None else math.ceil(run.tokens / data.batch_tokens) * data.batch_tokens


def _budget(run: CampaignRun, data: DataConfig, needed: int, is_given: bool) -> dict[str, Any]:
    """Settings under which a run reads so many tokens; none where it does so by itself."""
    follows_vocabulary = run.limit == "param_data_ratio" and data.vocab_size != run.data.vocab_size
    if not (follows_vocabulary or (is_given and needed != run.tokens)):
        return {}
    return ({} if run.limit == "tokens" else {f"budget.{run.limit}": None}) | {"budget.tokens": needed}


def _scored(run: CampaignRun, dataset: Dataset) -> EvaluationConfig:
    """The run's evaluation, of as much as the validation split has; a ValueError where that is no whole window."""
    found, available = run.evaluation, available_targets(dataset)
    if dataset.train.row_tokens is not None:
        row = dataset.train.row_tokens - 1
        found = replace(found, seq_len=row, batch_tokens=max(row, found.batch_tokens))
    windows = available // found.seq_len
    if not windows:
        raise ValueError(
            f"{dataset.description}: that is no whole window of validation, {found.seq_len} target tokens: "
            f"{more_text(dataset.text_bytes, found.seq_len, available)}"
        )
    most = windows * found.seq_len
    fits: dict[str, Any] = {
        name: most
        for name in ("tokens", "tokens_on_the_way")
        if (asked := getattr(found, name)) is not None and asked > available
    }
    if found.mainrun_rows is not None and found.mainrun_rows > windows:
        fits["mainrun_rows"] = windows
    return replace(found, **fits)


def _note(run: CampaignRun, evaluation: EvaluationConfig, dataset: Dataset) -> str:
    """Say what is scored instead where the validation split is smaller than a run of the scale has it."""
    names = [name for name in ("tokens", "tokens_on_the_way") if getattr(run.evaluation, name) is not None]
    few = [name for name in names if getattr(evaluation, name) < getattr(run.evaluation, name)]
    if not few:
        return ""
    asked, scored = getattr(run.evaluation, few[0]), getattr(evaluation, few[0])
    return (
        f"the validation split has {available_targets(dataset):,} target tokens, and a run of {run.space} at scale "
        f"{run.scale} scores {asked:,}: the command scores {scored:,}"
    )


def _changes(part: str, was: Any, now: Any) -> dict[str, Any]:
    """Path of each field that differs -> its value; the data's place has an option of its own."""
    fields = [field.name for field in dataclasses.fields(was) if field.name != "source"]
    return {f"{part}.{name}": getattr(now, name) for name in fields if getattr(now, name) != getattr(was, name)}


def _text(value: Any) -> str:
    return "null" if value is None else shlex.quote(str(value))


def _takes_tokens(source: str) -> bool:
    return source in download.DATASETS or (source in RECIPES and RECIPES[source].is_prefix)


def _check_used(source: str, settings: Mapping[str, Any], tokens: int | None) -> None:
    """Raise a ValueError for an option that changes nothing in what is prepared of a source."""
    recipe, kind = RECIPES.get(source), source
    if recipe is not None:
        used = [*recipe.followed(DataConfig(source=source)), *(["tokens"] if recipe.is_prefix else [])]
    elif source in download.DATASETS:
        used = ["tokens"]
    elif source != STDLIB and sources.has_shards(source):
        used, kind = [], f"{source}, which is shards"
    else:
        used, kind = ["vocab_size", "pretokenizer", "tokenizer"], f"{source}, which is text and prepared whole"
        if settings.get("tokenizer") is not None:
            used, kind = ["tokenizer"], f"{source} in the vocabulary {settings['tokenizer']}"
    for name in (*settings, *(["tokens"] if tokens is not None else [])):
        if name not in used:
            takes = f"it takes {' and '.join(map(data_option, used))}" if used else "it takes no options but --scale"
            raise ValueError(f"{data_option(name)} has no effect on {kind}: {takes}")


def data_option(name: str) -> str:
    """The program's option for a field of the data."""
    return f"--{name.replace('_', '-')}"
