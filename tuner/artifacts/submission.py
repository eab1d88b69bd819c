"""The folder that parameter golf takes as a submission: README.md, submission.json, a log a seed, train_gpt.py.

As the competition's README asks (openai/parameter-golf, "Submission Process"): a pull request that adds one folder with
these files. What its rules ask of the numbers is said rule by rule: met, not met, or not shown by what was trained.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from results.export import to_markdown
from search_spaces.objectives import cost_of
from terminal.short import short
from trainable.component_json import encode
from trainable.config import TrainConfig
from trainable.data import download
from trainable.data.sources import DOWNLOADED, STDLIB
from tuner.artifacts.asked_measures import ARTIFACT_BYTES, ROUNDED_SCORES, asked_names
from tuner.artifacts.author import Author
from tuner.artifacts.export_folder import Exported
from tuner.artifacts.kept_trial import KeptTrial
from tuner.artifacts.seed_scores import SeedScore, by_seed, over_fresh_seeds, seed_scores
from tuner.artifacts.submission_script import requirements, training_script
from tuner.artifacts.training_log import training_log
from tuner.artifacts.versus_base import lines_versus_base

SUBMISSION = "submission"  # the folder inside the export
LIMIT_BYTES = 16_000_000  # code and compressed weights, decimal
LIMIT_SECONDS = 600
REQUIRED = ("README.md", "submission.json", "train_gpt.py")  # and a log: train*.log
TRACK = "non_record_16mb"  # what trains on one device has not shown that it keeps the limit of time
IN_THE_TABLE = ("val_loss", "val_bpb", "train_seconds")  # of a submission's runs, whatever its search asked for
# What a search counts of an artifact is not what the competition counts of this folder.
OF_SOURCES = {ARTIFACT_BYTES: "; with other bytes of code than `bytes_total`, which counts train_gpt.py"}
OF_THE_ROUND_TRIP = "val_loss and val_bpb are those after the round trip of the artifact, where that was measured."
OF_THE_SIZE = "bytes_total, of weights and `train_gpt.py`, is known where a seed's weights were packed here."


@dataclass(frozen=True)
class GolfRule:
    """One rule of the competition; ``met`` is None where nothing here shows it."""

    text: str
    met: bool | None
    found: str

    @property
    def line(self) -> str:
        said = "not shown here" if self.met is None else "met" if self.met else "NOT MET"
        return f"{self.text}: {said} ({self.found})"


def submission(trial: KeptTrial, exported: Exported, author: Author) -> dict[str, bytes]:
    """The files of a submission by their names."""
    as_packed = replace(without_place(trial.config), artifact=exported.packed.settings)
    script = training_script(json.dumps(encode(as_packed)))
    runs, code_bytes, asked = seed_scores(trial, exported), len(script.encode()), asked_names(trial)
    store, settings = trial.results.store, exported.packed.settings
    logs = {
        f"train_seed{run.row['seed']}.log": training_log(
            store, run.row, exported.about_data, asked, run.log_lines(settings, code_bytes)
        )
        for run in runs
    }
    found = {
        "README.md": _readme(trial, exported, author, code_bytes, runs),
        "submission.json": f"{json.dumps(_facts(trial, exported, author, code_bytes, runs), indent=2)}\n",
        "train_gpt.py": script,
        "requirements.txt": requirements(),
        **logs,
    }
    assert set(REQUIRED) <= found.keys() and logs, "the competition asks for all of these"
    return {name: text.encode() for name, text in found.items()}


def without_place(config: TrainConfig) -> TrainConfig:
    """The config with the name alone of a folder of data: where it lies is nobody's business."""
    if config.data.source in (STDLIB, *DOWNLOADED):
        return config
    # As a path, since a folder may be called as a data set is: it is read as what it is, by the search and the script.
    return replace(config, data=replace(config.data, source=f"./{PurePath(config.data.source).name}"))


def rules(trial: KeptTrial, exported: Exported, code_bytes: int) -> list[GolfRule]:
    """The competition's rules, each with what was found of it."""
    total, config, row = len(exported.packed.data) + code_bytes, trial.config, trial.row
    whole = config.evaluation.tokens is None
    scored = "all of it" if whole else f"its first {config.evaluation.tokens:,} tokens"
    fineweb = config.data.source in download.DATASETS
    seconds = row["train_seconds"] or 0.0
    return [
        GolfRule(f"at most {LIMIT_BYTES:,} bytes of code and weights", total <= LIMIT_BYTES, f"{total:,}"),
        GolfRule(
            "scored on the whole FineWeb validation split",
            fineweb and whole,
            f"{config.data.source if fineweb else 'other text'}, {scored}",
        ),
        GolfRule(
            f"trains in under {LIMIT_SECONDS // 60} minutes on 8xH100", None, f"{seconds:.1f} s on one {row['device']}"
        ),
    ]


def _facts(
    trial: KeptTrial, exported: Exported, author: Author, code_bytes: int, runs: Sequence[SeedScore]
) -> dict[str, Any]:
    """Make the content of submission.json: the score is that of the artifact as it was read again."""
    small = exported.packed
    return {
        "author": author.name,
        "github_id": author.github_id,
        "name": _title(trial, author),
        "blurb": author.blurb or _changes_in_words(trial),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "track": TRACK,
        "val_loss": small.score.loss,
        "val_bpb": small.score.bpb,
        "pre_quant_val_bpb": exported.score.bpb,
        "bytes_total": len(small.data) + code_bytes,
        "bytes_model": len(small.data),
        "bytes_code": code_bytes,
        "seed": trial.row["seed"],
        **by_seed(runs),
    }


def _readme(trial: KeptTrial, exported: Exported, author: Author, code_bytes: int, runs: Sequence[SeedScore]) -> str:
    import pandas as pd

    small, row = exported.packed, trial.row
    measures = [measure for measure in exported.measures if measure.name not in IN_THE_TABLE]
    shown = [measure.name for measure in measures if measure.name != ARTIFACT_BYTES]  # bytes_total is what counts here
    if small.settings == trial.config.artifact:  # they are the table's val_loss and val_bpb
        shown = [name for name in shown if name not in ROUNDED_SCORES]
    table = pd.DataFrame([_cells(run, shown, code_bytes) for run in runs])
    table["bytes_total"] = table["bytes_total"].astype("Int64")  # whole, also beside a seed without its weights
    numbers = [
        f"- This folder's seed {row['seed']}: val_bpb {exported.score.bpb!r} before and {small.score.bpb!r} after the "
        f"round trip of the artifact ({small.precision}, {small.settings.compressor}); val_loss "
        f"{small.score.loss!r} after it",
        f"- Size: {len(small.data):,} bytes of weights and {code_bytes:,} of code (`train_gpt.py`, in which all of it "
        f"is compressed), {len(small.data) + code_bytes:,} in all (`bytes_total`)",
        *(f"- Asked for by the search: {measure.line}{OF_SOURCES.get(measure.name, '')}" for measure in measures),
        f"- {over_fresh_seeds(runs)}",
        *(f"- {line}" for line in lines_versus_base(trial.results, row)),
    ]
    parts = [
        f"# {_title(trial, author)}",
        author.blurb or "",
        f"Found in the campaign `{trial.results.name}`. Against the base: {_changes_in_words(trial)}.",
        "## Numbers",
        "\n".join(numbers),
        to_markdown(table).rstrip(),
        f"{OF_THE_ROUND_TRIP} {OF_THE_SIZE}",
        "## Rules",
        "\n".join(f"- {rule.line}" for rule in rules(trial, exported, code_bytes)),
        "## Run",
        "```sh\npip install -r requirements.txt\n"
        f"DATA_PATH=FOLDER_OF_SHARDS SEED={row['seed']} python train_gpt.py > train.log\n```",
        "`train_gpt.py` holds the config and, compressed, all its code; the logs are of the seeds in the table.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _cells(run: SeedScore, measures: Sequence[str], code_bytes: int) -> dict[str, Any]:
    """One row of the table of seeds."""
    row = run.row
    return {
        "seed": row["seed"], "steps": row["steps"], "val_loss": run.loss, "val_bpb": run.bpb,
        "pre_quant_val_loss": run.pre_quant_loss, "pre_quant_val_bpb": run.pre_quant_bpb,
        "train_seconds": cost_of("train_seconds", row), **{name: cost_of(name, row) for name in measures},
        "bytes_total": None if run.model_bytes is None else run.model_bytes + code_bytes, "device": row["device"],
    }  # fmt: skip


def _title(trial: KeptTrial, author: Author) -> str:
    return author.title or f"{trial.results.name}, trial {trial.row['number']}"


def _changes_in_words(trial: KeptTrial) -> str:
    changes: dict[str, Any] = json.loads(trial.row["overrides"] or "{}")
    return ", ".join(f"{path}={short(value)}" for path, value in changes.items()) or "nothing changed"
