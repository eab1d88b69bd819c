"""The published bundle of CORE's 22 tasks: fetched by name into the cache, read and checked.

A zip file of one folder: ``core.yaml`` lists the tasks, ``eval_meta_data.csv`` has what chance answers right (percent),
``eval_data/`` the questions, one JSON object a line. Source: nanochat's scripts/base_eval.py, which unpacks the same.
"""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
import uuid
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terminal.counted import counted
from terminal.type_words import as_set

from trainable.data.network_failure import NotDownloadedError, network_reason
from trainable.data.new_folder import made_folder
from trainable.data.one_at_a_time import one_at_a_time

NAME = "eval_bundle"  # of the folder in the zip file, and in the cache
ADDRESS = "https://karpathy-public.s3.us-west-2.amazonaws.com/eval_bundle.zip"
TIMEOUT_SECONDS = 30  # without a byte, before a download has failed
CHOICE, SCHEMA_FORM, CONTINUATION = FORMS = ("multiple_choice", "schema", "language_modeling")
# Form -> the fields of its questions, and whether each is a list of texts.
FIELDS = {
    CHOICE: {"query": False, "choices": True},
    SCHEMA_FORM: {"context_options": True, "continuation": False},
    CONTINUATION: {"context": False, "continuation": False},
}

CoreQuestion = Mapping[str, Any]


@dataclass(frozen=True)
class CoreTask:
    """One task of the bundle."""

    label: str
    form: str  # one of FORMS
    file: Path  # of its questions
    examples: int  # questions with their answers that stand before each one
    delimiter: str  # between a question and its answer
    chance: float  # part of the questions that chance answers right

    def centred(self, accuracy: float) -> float:
        """The accuracy above chance: 0 for chance, 1 for all right."""
        return (accuracy - self.chance) / (1 - self.chance)


def folder_in(cache: Path) -> Path:
    """Return where the bundle lies in a cache, or will."""
    return cache / "downloads" / NAME


def is_here(cache: Path) -> bool:
    """Tell whether the bundle is on this machine; it is not looked into."""
    return (folder_in(cache) / "core.yaml").is_file()


def fetch_bundle(cache: Path, say: Callable[[str], None]) -> Path:
    """The folder of the bundle, downloaded once. A ValueError, one line, where it is not here and cannot be had."""
    folder = folder_in(cache)
    if is_here(cache):
        return folder
    with one_at_a_time(cache, NAME, say):
        if not is_here(cache):  # again: another process may have been first
            say(f"downloading {ADDRESS.rpartition('/')[2]} of {ADDRESS.split('/')[2]}")
            _download(folder)
    return folder


def _download(folder: Path) -> None:
    """Unpack the zip file beside ``folder``, and rename what is whole to its name."""
    partial = folder.with_name(f"{NAME}.partial-{uuid.uuid4().hex[:8]}")
    try:
        with made_folder(folder.parent):
            partial.mkdir()
            try:
                _unpack(folder, partial)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise NotDownloadedError(
            f"could not download the questions of CORE from {ADDRESS} ({network_reason(error)}): where there is a "
            f"network, unpack that file and copy its folder {NAME} from there to {folder} here"
        ) from error


def _unpack(folder: Path, partial: Path) -> None:
    from urllib.request import urlopen

    with tempfile.TemporaryFile(dir=partial) as file:
        with urlopen(ADDRESS, timeout=TIMEOUT_SECONDS) as answer:
            shutil.copyfileobj(answer, file)
        with zipfile.ZipFile(file) as archive:
            archive.extractall(partial)  # checks each file's checksum, and lets none out of the folder
    if not (partial / NAME / "core.yaml").is_file():
        raise ValueError(f"the file holds no {NAME}/core.yaml")
    if not folder.exists():  # without locks another process may have put a whole one there meanwhile
        (partial / NAME).rename(folder)


def tasks_of(folder: Path) -> list[CoreTask]:
    """The tasks in the order of ``core.yaml``. A ValueError, one line, for what is no such bundle."""
    import yaml

    try:
        chances = _chances(folder / "eval_meta_data.csv")
        listed = yaml.safe_load((folder / "core.yaml").read_text(encoding="utf-8"))["icl_tasks"]
        found = [_task(folder, entry, chances) for entry in listed]
    except (OSError, yaml.YAMLError, KeyError, TypeError, IndexError, ValueError) as error:
        reason = f"there is no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise ValueError(f"{folder} is no bundle of CORE's tasks: {reason}") from None
    if not found:
        raise ValueError(f"{folder} is no bundle of CORE's tasks: core.yaml lists none")
    return found


def _chances(path: Path) -> dict[str, float]:
    """Label of a task -> the part of its questions that chance answers right."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["Eval Task"]: 0.01 * float(row["Random baseline"]) for row in csv.DictReader(file)}


def _task(folder: Path, entry: Mapping[str, Any], chances: Mapping[str, float]) -> CoreTask:
    label, form = str(entry["label"]), str(entry["icl_task_type"])
    if form not in FORMS:
        raise ValueError(f"the task {label} is of the form {form!r}, not one of {', '.join(FORMS)}")
    chance, examples = chances[label], int(entry["num_fewshot"][0])
    if not 0 <= chance < 1:
        raise ValueError(f"chance answers {100 * chance:g} % of {label} right, where 0 to below 100 % must stand")
    delimiter = str(entry.get("continuation_delimiter", " "))
    return CoreTask(label, form, folder / "eval_data" / str(entry["dataset_uri"]), examples, delimiter, chance)


def questions_of(task: CoreTask) -> list[CoreQuestion]:
    """The questions of a task in the order of its file. A ValueError names the line that is none."""
    try:
        lines = task.file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the questions of {task.label} cannot be read from {task.file}: {error}") from None
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            question = json.loads(line)
            _check(question, task.form)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{task.file}, line {number}: {error}") from None
        found.append(question)
    if len(found) <= task.examples:
        few = counted(len(found), "question")
        raise ValueError(f"{task.file} has {few}, but {task.label} shows {task.examples} others before each")
    return found


def _check(question: Any, form: str) -> None:
    if not isinstance(question, dict):
        raise ValueError("no JSON object")
    for name, is_list in FIELDS[form].items():
        value = question.get(name)
        if is_list and not (isinstance(value, list) and value):
            raise ValueError(f"{name} must be a list of texts")
        if not is_list and not isinstance(value, str | int | float):
            raise ValueError(f"{name} must be a text")
    options = next((question[name] for name, is_list in FIELDS[form].items() if is_list), None)
    if options is None:
        if not str(question["continuation"]).strip():
            raise ValueError("continuation is empty")
        return
    gold = question.get("gold")
    if type(gold) is not int or not 0 <= gold < len(options):
        raise ValueError(f"gold is {as_set(gold)} but must be in 0..{len(options) - 1}")
