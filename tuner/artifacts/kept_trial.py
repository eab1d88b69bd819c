"""The trial whose weights are asked for: found in its campaign, with its config, its data and the weights themselves.

A folder may come from anybody. The weights are data, not pickles; a row may name only its own trial's file; and code of
the campaign's own runs only where the user gives it again, or says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from results.kept_weights import taken_alone
from results.plain_rows import plain_rows
from results.questions.framed import objectives_of
from results.questions.winner import winner
from results.store import frames
from results.store.campaign_folder import Store
from results.store.frames import Results
from results.store.row_types import TrialRow
from results.store.statuses import SEARCH
from results.tally import tally_of
from results.unmet_limits import nearest_to_limits
from storage import files
from storage.location import Location
from terminal.short import shortened
from trainable.config import TrainConfig
from trainable.data.dataset import Dataset
from trainable.data.preparation import prepare
from trainable.data.sources import is_there
from trainable.own.source import Source
from trainable.runtime import Runtime
from trainable.worker import kept_weights
from tuner.artifacts.reused_weights import where_reused
from tuner.campaign.row_config import config_of
from tuner.command import Resume
from tuner.own import code as own_code
from tuner.plan.cost import tokens_of


@dataclass(frozen=True)
class KeptTrial:
    """A trial whose weights its campaign keeps."""

    results: Results
    row: TrialRow
    config: TrainConfig
    sources: tuple[Source, ...] = ()  # of the user's own code that it needs, which are loaded

    @property
    def folder(self) -> Location:
        """Return the campaign's folder."""
        return self.results.store.folder

    @property
    def name(self) -> str:
        """Name it as messages do."""
        return f"trial {self.row['number']} of campaign {self.folder.name!r}"

    @property
    def file(self) -> Location:
        """The file of its weights. A ValueError where its row names another."""
        named, key = str(self.row["weights"]), self.row["key"]
        name = named.rpartition("/")[2]
        if named != f"{kept_weights.FOLDER}/{key}/{name}" or not kept_weights.is_ours(name):
            raise ValueError(f"{self.name} has its weights at {shortened(named)}, where none of its own can lie")
        return self.folder / kept_weights.FOLDER / key / name

    def dataset(self) -> Dataset:
        """The data that it was scored on. A ValueError where they are not here, or have changed."""
        if not is_there(self.config.data.source):
            raise ValueError(
                f"{self.name} was scored on data that are not here, {self.config.data.source!r}: "
                "say where the same data are, by --data PLACE"
            )
        found = prepare(self.config.data, train_tokens_needed=tokens_of(self.config))
        if found.fingerprint != self.row["data"]:
            raise ValueError(
                f"{self.name} was scored on data with fingerprint {self.row['data']}, and {self.config.data.source!r} "
                f"has {found.fingerprint}: say where the same data are, by --data PLACE"
            )
        return found

    def runtime(self) -> Runtime:
        """The device here, compiling where the campaign's workers did so on a device of that kind."""
        import torch

        kept = self.results.campaign
        same_kind = str(self.row["device"]).startswith("cpu") != torch.cuda.is_available()
        compiled = same_kind and bool(kept.get("compiled"))
        blocks = compiled and bool(kept.get("compile_blocks"))
        return Runtime.detect(compiled, self.config.number_format, compile_blocks=blocks)


def kept_trial(
    campaign: Location, number: int | None, data: str | None = None, imports: Sequence[str] = (), trusted: bool = False
) -> KeptTrial:
    """The trial of that ``number`` in the campaign of a folder, else the winner.

    A ValueError, one line, where it or its weights are not there. ``data`` says where the same data are now;
    ``imports`` and ``trusted`` are as for a resume.
    """
    store = Store.open(campaign)
    name = store.folder.name
    if store.campaign.get("own_train") is not None:
        raise ValueError(f"campaign {name!r} trains by a function of your own, which keeps its weights itself")
    results = frames.results_of(store)
    rows = plain_rows(results.rows)
    row = _winner(results, rows) if number is None else _numbered(name, rows, number)
    if not row.get("weights"):
        raise ValueError(_without_weights(results, rows, row))
    asked = Resume(str(campaign), {"imports": tuple(imports)} if imports else {}, trust_sources=trusted)
    sources = own_code.of_campaign(store, asked, None)
    config = config_of(row)
    assert config is not None, "it has been trained"
    if data is not None:
        config = replace(config, data=replace(config.data, source=data))
    found = KeptTrial(results, row, config, sources)
    if not files.is_file(found.file):
        raise ValueError(f"{found.name} has its weights at {found.file}, where no file is now")
    return found


def _numbered(name: str, rows: Sequence[TrialRow], number: int) -> TrialRow:
    found = next((row for row in rows if row["number"] == number), None)
    if found is None:
        last = max((int(row["number"]) for row in rows), default=None)
        there = "it has none yet" if last is None else f"its trials are 0 to {last}"
        raise ValueError(f"campaign {name!r} has no trial {number}: {there}")
    return found


def _winner(results: Results, rows: Sequence[TrialRow]) -> TrialRow:
    """The run of the winner that is taken where none is named; a ValueError where there is no winner."""
    if len(results.campaign.get("objectives") or ()) > 1:
        said = _those_with_weights(results, rows)
        raise ValueError(f"campaign {results.name!r} has two objectives, and no winner: say --trial N; {said}")
    chosen = taken_alone(results, rows)
    if chosen is None:
        raise ValueError(f"campaign {results.name!r} has no weights: {_why_none(results, rows)}")
    return chosen


def why_this_one(results: Results, row: TrialRow) -> str:
    """Say which trial it is that is taken where none was named, and whether it is established to be a winner."""
    found, name = winner(results).to_dict("records")[0], f"trial {row['number']}"
    objective = objectives_of(results)[0]
    if row.get("arm") is not None or row["key"] != found["key"]:
        name += f", a later run of the config of trial {found['trial']},"
    if found["confirmed"]:
        return f"{name} is the winner: established to be better than the base on fresh seeds"
    if row["is_base"]:
        return f"{name} is the base: no trial of the search has a lower {objective}, and no winner is established"
    known = found["verdict"] or "it was not confirmed on fresh seeds"
    return f"{name} has the lowest {objective} of the search; that it is better than the base is not established: " + (
        str(known).removeprefix("not established: ")
    )


def _why_none(results: Results, rows: Sequence[TrialRow]) -> str:
    """Say why no trial of a search has completed, and where limits are to blame, what to do."""
    if (unmet := nearest_to_limits(results.campaign, rows)) is not None:
        return f"{unmet.fact[0].lower()}{unmet.fact[1:]}; to go on, {unmet.advice}"
    return f"no trial has completed ({tally_of(results.trials).in_words or 'none has started'})"


def _without_weights(results: Results, rows: Sequence[TrialRow], row: TrialRow) -> str:
    """Say why a trial has no weights, and which ones have."""
    number, status, name = row["number"], row["status"], results.store.folder.name
    if row.get("reused_from"):
        why = where_reused(results.store.folder, row)
    elif status != "completed":
        why = f"it is {status}"
    else:
        why = "they were not kept (--keep)"
    if status == "infeasible":
        why = f"it is infeasible, and those of a trial beyond a limit are not kept: {row['reason']}"
    return f"trial {number} of campaign {name!r} has no weights: {why}; {_those_with_weights(results, rows)}"


def _those_with_weights(results: Results, rows: Sequence[TrialRow]) -> str:
    numbers = sorted(int(row["number"]) for row in rows if row.get("weights"))
    if not numbers and (unmet := nearest_to_limits(results.campaign, rows)) is not None:
        return f"no trial has any, as none meets the limits: {unmet.advice}"
    trained = any(row["status"] == "completed" and not row.get("reused_from") for row in rows)
    if not numbers and (results.campaign.get("keep") == "all" or not trained):
        return "no trial has any: none that completes has been trained here"
    if not numbers:
        return "no trial has any; a campaign with --keep all keeps those of every trial that completes"
    return f"there are those of trial {', '.join(map(str, numbers))}"


def fresh_seed_rows(results: Results, arm: str) -> list[TrialRow]:
    """The completed runs of a config on fresh seeds, after the search; by number."""
    rows = plain_rows(results.rows)
    return [
        row for row in rows if row.get("arm") == arm and row.get("stage") != SEARCH and row["status"] == "completed"
    ]
