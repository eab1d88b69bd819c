"""The folder that parameter golf takes as a submission: README.md, submission.json, a log a seed, train_gpt.py.

As the competition's README asks (openai/parameter-golf, "Submission Process"): a pull request that adds one folder with
these files. What its rules ask of the numbers is said rule by rule: met, not met, or not shown by what was trained.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from statistics import fmean, stdev
from typing import Any

from results.export import to_markdown
from results.statistics.student_t import two_sided_quantile
from results.store.row_types import TrialRow
from search_spaces.objectives import cost_of
from storage import files
from terminal.counted import counted
from terminal.short import decimals, short
from trainable.component_json import encode
from trainable.config import TrainConfig
from trainable.data import download
from trainable.data.sources import DOWNLOADED, STDLIB
from trainable.training_log import no_round_trip_line, round_trip_line, size_line
from trainable.weights import read_weights, run_with
from tuner.artifacts.asked_measures import asked_names
from tuner.artifacts.export_folder import Exported
from tuner.artifacts.kept_trial import KeptTrial, fresh_seed_rows
from tuner.artifacts.rescored import Packed, packed, packed_bytes
from tuner.artifacts.submission_script import requirements, training_script
from tuner.artifacts.training_log import training_log
from tuner.artifacts.versus_base import lines_versus_base
from tuner.campaign.row_config import config_of

GOLF = "parameter_golf"
SUBMISSION = "submission"  # the folder inside the export
LIMIT_BYTES = 16_000_000  # code and compressed weights, decimal
LIMIT_SECONDS = 600
REQUIRED = ("README.md", "submission.json", "train_gpt.py")  # and a log: train*.log
TRACK = "non_record_16mb"  # what trains on one device has not shown that it keeps the limit of time
IN_THE_TABLE = ("val_loss", "val_bpb", "train_seconds")  # of a submission's runs, whatever its search asked for
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")  # of GitHub


@dataclass(frozen=True)
class Author:
    """The person who hands in, and what the submission is called."""

    name: str
    github_id: str
    title: str | None = None
    blurb: str | None = None


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


def author_of(
    name: str | None, github_id: str | None, title: str | None, blurb: str | None, trial: KeptTrial
) -> Author | None:
    """The author that the options name, None where they name none; a ValueError where no submission can be made."""
    given = {"--author": name, "--github-id": github_id, "--title": title, "--blurb": blurb}
    options = [option for option, text in given.items() if text is not None]
    if not options:
        return None
    if trial.row["space"] != GOLF:
        raise ValueError(f"{options[0]} is for a submission to {GOLF}: {trial.name} is of {trial.row['space']!r}")
    if trial.sources:
        raise ValueError(f"{options[0]}: no submission can be made of {trial.name}, which needs code of your own")
    if not name or not github_id:
        raise ValueError("a submission names its author: give both --author and --github-id")
    if _LOGIN.fullmatch(github_id) is None:
        raise ValueError(f"--github-id {github_id!r} is no name on GitHub: letters, digits and '-', at most 39")
    return Author(name, github_id, title, blurb)


def submission(trial: KeptTrial, exported: Exported, author: Author) -> dict[str, bytes]:
    """The files of a submission by their names."""
    as_packed = replace(without_place(trial.config), artifact=exported.packed.settings)
    script = training_script(json.dumps(encode(as_packed)))
    runs, code_bytes, asked = runs_handed_in(trial), len(script.encode()), asked_names(trial)
    logs = {
        f"train_seed{row['seed']}.log": training_log(
            trial.results.store, row, exported.about_data, asked, round_trip(trial, exported, row, code_bytes)
        )
        for row in runs
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


def round_trip(trial: KeptTrial, exported: Exported, row: TrialRow, code_bytes: int) -> list[str]:
    """The lines of a run's artifact: read again where its weights are kept, else by what the search found of it."""
    settings = exported.packed.settings
    small = exported.packed if row is trial.row else _packed_again(trial, exported, row)
    if small is not None:
        score = round_trip_line(settings, small.score.loss, small.score.bpb)
        return [size_line(settings, len(small.data), code_bytes), score]
    if trial.config.artifact == settings and row["val_bpb_quantised"] is not None:
        return [round_trip_line(settings, row["val_loss_quantised"], row["val_bpb_quantised"])]
    return [no_round_trip_line(settings, row["seed"])]


def _packed_again(trial: KeptTrial, exported: Exported, row: TrialRow) -> Packed | None:
    """The artifact of a run on another seed, read again; None where its weights are not here."""
    one, config = replace(trial, row=row), config_of(row)
    if not row["weights"] or config is None or not files.is_file(one.file):
        return None
    # On the data of the trial, which are those of all its seeds.
    config = replace(config, data=trial.config.data)
    run = run_with(config, read_weights(one.file, row["key"]), exported.run.dataset, trial.runtime())
    settings = exported.packed.settings
    return packed(run, config, settings, packed_bytes(run, settings))


def without_place(config: TrainConfig) -> TrainConfig:
    """The config with the name alone of a folder of data: where it lies is nobody's business."""
    if config.data.source in (STDLIB, *DOWNLOADED):
        return config
    # As a path, since a folder may be called as a data set is: it is read as what it is, by the search and the script.
    return replace(config, data=replace(config.data, source=f"./{PurePath(config.data.source).name}"))


def runs_handed_in(trial: KeptTrial) -> list[TrialRow]:
    """The trial itself and the runs of its config on fresh seeds."""
    row = trial.row
    return [row, *(run for run in fresh_seed_rows(trial.results, row.get("arm") or row["key"]) if run is not row)]


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
    trial: KeptTrial, exported: Exported, author: Author, code_bytes: int, runs: Sequence[TrialRow]
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
        "val_bpb_by_seed": {str(row["seed"]): row["val_bpb"] for row in runs},
    }


def _readme(trial: KeptTrial, exported: Exported, author: Author, code_bytes: int, runs: Sequence[TrialRow]) -> str:
    import pandas as pd

    small, row = exported.packed, trial.row
    measures = [measure for measure in exported.measures if measure.name not in IN_THE_TABLE]
    table = pd.DataFrame(
        [
            {"seed": run["seed"], "steps": run["steps"], **{name: cost_of(name, run) for name in IN_THE_TABLE},
             **{measure.name: cost_of(measure.name, run) for measure in measures}, "device": run["device"]}
            for run in runs
        ]
    )  # fmt: skip
    numbers = [
        f"- This folder's seed {row['seed']}: val_bpb {exported.score.bpb!r} before and {small.score.bpb!r} after the "
        f"round trip of the artifact ({small.settings.bits} bits, {small.settings.compressor}); val_loss "
        f"{small.score.loss!r} after it",
        f"- Size: {len(small.data):,} bytes of weights and {code_bytes:,} of code (`train_gpt.py`, in which all of it "
        f"is compressed), {len(small.data) + code_bytes:,} in all",
        *(f"- Asked for by the search: {measure.line}" for measure in measures),
        *_over_seeds(runs),
        *(f"- {line}" for line in lines_versus_base(trial.results, row)),
    ]
    parts = [
        f"# {_title(trial, author)}",
        author.blurb or "",
        f"Found by a search of {trial.results.name}. Against the base: {_changes_in_words(trial)}.",
        "## Numbers",
        "\n".join(numbers),
        to_markdown(table).rstrip(),
        "## Rules",
        "\n".join(f"- {rule.line}" for rule in rules(trial, exported, code_bytes)),
        "## Run",
        "```sh\npip install -r requirements.txt\n"
        f"DATA_PATH=FOLDER_OF_SHARDS SEED={row['seed']} python train_gpt.py > train.log\n```",
        "`train_gpt.py` holds the config and, compressed, all its code; the logs are of the seeds in the table.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _over_seeds(runs: Sequence[TrialRow]) -> list[str]:
    """The mean of the runs on fresh seeds with its 95 % interval, which the seed of the search has no part in."""
    found = [float(run["val_bpb"]) for run in runs[1:] if run["val_bpb"] is not None]
    if len(found) < 2:
        return ["- Not yet trained on several fresh seeds: one run says little (the spread of seeds is not known)"]
    half = two_sided_quantile(0.95, len(found) - 1) * stdev(found) / len(found) ** 0.5
    low, high = fmean(found) - half, fmean(found) + half
    mean = f"mean {decimals(fmean(found))}, 95 % interval {decimals(low)} .. {decimals(high)}"
    return [f"- val_bpb on {counted(len(found), 'fresh seed')} (before the round trip): {mean}"]


def _title(trial: KeptTrial, author: Author) -> str:
    return author.title or f"{trial.results.name}, trial {trial.row['number']}"


def _changes_in_words(trial: KeptTrial) -> str:
    changes: dict[str, Any] = json.loads(trial.row["overrides"] or "{}")
    return ", ".join(f"{path}={short(value)}" for path, value in changes.items()) or "nothing changed"
