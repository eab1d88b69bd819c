"""Schema of ``campaign.json``: every field that any code reads, with its type and range. Others are kept.

A campaign's folder is carried about, edited and damaged like any file, so all of it is checked when it is read, before
anything uses it, and when it is written. What only the search knows (which stoppers there are, whether a knob is one of
the space) is checked where it reads a campaign: tuner/campaign/kept.py.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from storage import files
from storage.location import Location
from storage.remote import TooLargeError
from terminal.nearest import nearest
from terminal.short import shortened
from terminal.type_words import as_set

from results.design import MOST_CARRIED, Design
from results.store import limits, places
from results.store.carried_json import SearchCarried
from results.store.complaint_text import complaint_in_words
from results.store.json_types import Import, Label, Name, Number, SeedNumber, Text, Texts
from results.store.limits import CAMPAIGN_BYTES, DEPTH, JSON_TEXT, LARGEST_NUMBER, MOST_KNOBS
from results.store.row_types import TRIAL_COLUMNS
from results.store.schema import SCHEMA_VERSION

STEP_SECONDS = "step_seconds"  # worked out from two columns (results/statistics/pareto.py)
MEASURES = {column.name for column in TRIAL_COLUMNS if column.is_measure} | {STEP_SECONDS}


class _Object(BaseModel):
    """An object of ``campaign.json``: exact types, and fields that are not known here stay as they are."""

    model_config = ConfigDict(strict=True, extra="allow")


class ReplayAsked(_Object):
    """Recorded runs that a replay trains."""

    selections: Annotated[list[Text], Field(min_length=1, max_length=10_000)]
    reading: Literal["as_logged", "as_run"]
    seeds: Annotated[int, Field(ge=1, le=limits.TRIALS)]


class RecordedRow(_Object):
    """One row of a recorded campaign, as results.compare needs it."""

    id: Name
    name: Text
    phase: Text
    base: Name | None
    status: Text
    note: Text
    steps: Annotated[int, Field(ge=0, lt=2**63)] | None
    value: Number | None


class RecordedStep(_Object):
    id: Name
    label: Text


class RecordedEffect(_Object):
    name: Text
    treatment: Name
    control: Name
    lowers: bool


class Plateau(_Object):
    recorded: Number
    measured: Number


class RecordedCampaign(_Object):
    """Recorded campaign that a replay is compared with."""

    metric: Name
    reading: Name
    runs: Annotated[list[RecordedRow], Field(max_length=limits.TRIALS)]
    replicates: Annotated[list[Annotated[list[Name], Field(min_length=1)]], Field(max_length=limits.TRIALS)]
    same: Annotated[list[Annotated[list[Name], Field(min_length=1)]], Field(max_length=limits.TRIALS)]
    progression: Annotated[list[RecordedStep], Field(max_length=limits.TRIALS)]
    effects: Annotated[list[RecordedEffect], Field(max_length=limits.TRIALS)]
    plateau: Plateau | None

    @model_validator(mode="after")
    def names_its_own_runs(self) -> RecordedCampaign:
        """Groups and the progression are of runs that stand in ``runs``, each of them once."""
        ids = [run.id for run in self.runs]
        _once(ids, "runs")
        for field in ("replicates", "same"):
            members = [name for group in getattr(self, field) for name in group]
            _once(members, field)
            _among(members, ids, field)
        _among([step.id for step in self.progression], ids, "progression")
        _among([name for effect in self.effects for name in (effect.treatment, effect.control)], ids, "effects")
        return self


class PriorPoint(_Object):
    """One earlier result that a search starts from; tuner/proposals/warm_start.py has the class."""

    model_config = ConfigDict(strict=True, extra="forbid")

    source: Name
    name: Text
    values: Annotated[dict[Name, Label], Field(max_length=MOST_KNOBS)]
    score: Number
    reference: Number | None = None
    same: bool = False
    at_rungs: Annotated[list[Annotated[list[Number], Field(min_length=2, max_length=2)]], Field(max_length=100)] = []


class KeptCommand(_Object):
    """The command that trains the winner ``arm``; results/winner_command.py reads it."""

    arm: Name
    minimal: bool
    line: Text


class KnobRange(_Object):
    """A knob's domain, in words and (not in campaigns of an earlier version) as data, and when the knob is active."""

    domain: Text = ""
    kind: Literal["uniform", "log", "integer", "log_integer", "choice"] | None = None
    low: Number | None = None
    high: Number | None = None
    options: Annotated[list[Label], Field(min_length=1, max_length=10_000)] | None = None
    when: Annotated[dict[Name, list[Label]], Field(max_length=MOST_KNOBS)] | None = None

    @model_validator(mode="after")
    def has_what_its_kind_needs(self) -> KnobRange:
        """A choice has options, another domain two ends."""
        if self.kind == "choice" and self.options is None:
            raise ValueError("a choice needs options")
        if self.kind not in (None, "choice"):
            if self.low is None or self.high is None or not self.low < self.high:
                raise ValueError(f"low is {self.low} and high is {self.high}, but a range must go up")
            if self.kind in ("log", "log_integer") and self.low <= 0:
                raise ValueError(f"low is {self.low} but must be positive on a log scale")
        return self


class OwnTrain(_Object):
    """The user's own function that trains a campaign's trials; tuner/own/train.py asks it."""

    name: Name
    fingerprint: Name
    source: Text
    maximise: bool
    domains: Annotated[dict[Name, Text], Field(max_length=MOST_KNOBS)]


class MeasuredSharing(_Object):
    """Trainings side by side on one GPU; tuner/cluster/sharing.py has the class."""

    model_config = ConfigDict(strict=True, extra="forbid")

    together: Annotated[int, Field(ge=1, le=1000)]
    steps_per_second: Annotated[float, Field(gt=0, le=1e9)]
    reserved_bytes: Annotated[int, Field(ge=0, lt=2**63)] | None = None


class GpuSharing(_Object):
    """The number of trials on each GPU, and what it was chosen by."""

    model_config = ConfigDict(strict=True, extra="forbid")

    trials: Annotated[int, Field(ge=1, le=1000)]
    gpu_bytes: Annotated[int, Field(ge=1, lt=2**63)]
    measured: Annotated[list[MeasuredSharing], Field(max_length=100)]


class CountedShapes(_Object):
    """Numbers of the base's network, which the memory of a trial is estimated from."""

    model_config = ConfigDict(strict=True, extra="forbid")

    vocabulary: Annotated[int, Field(ge=1, lt=2**63)]
    parameters: Annotated[int, Field(ge=0, lt=2**63)]
    channels: Annotated[int, Field(ge=1, lt=2**63)]
    blocks: Annotated[int, Field(ge=0, lt=2**63)]


class CampaignFile(_Object):
    """All that is read of ``campaign.json``. A campaign of an earlier version lacks fields."""

    spec_version: Annotated[int, Field(ge=1, lt=2**63)] = 1
    space: Name = ""
    scale: Name = ""
    question: Text = ""
    objective: Name = ""
    objectives: Annotated[list[Name], Field(min_length=1, max_length=2)] = []
    constraints: Texts = []
    likely: Texts = []
    imports: Annotated[list[Import], Field(max_length=200)] = []
    overrides: Annotated[dict[Name, Any], Field(max_length=MOST_KNOBS)] = {}
    base: dict[str, Any] = {}
    ranges: Annotated[dict[Name, KnobRange], Field(max_length=MOST_KNOBS)] = {}
    knobs: Annotated[dict[Name, Any], Field(max_length=MOST_KNOBS)]
    trials: Annotated[int, Field(ge=1, le=limits.TRIALS)] = 1
    reports: Annotated[int, Field(ge=0, le=10_000)] = 0
    seed: SeedNumber | None = None
    fresh_seed: SeedNumber | None = None
    precision: Literal["fp32", "bf16"] | None = None
    sampler: Name | None = None
    stopper: Name = ""
    promote: bool = False
    fidelity: Name = ""
    confirm: Text | None = None
    ablate: bool = False
    inert: Annotated[list[Name], Field(max_length=MOST_KNOBS)] | dict[Name, list[Name]] | None = None
    warm_start: Texts | None = None
    prior: Annotated[list[PriorPoint], Field(max_length=limits.TRIALS)] | None = None
    reuse: Texts = []
    confirm_scale: Name | None = None
    carry: Annotated[int, Field(ge=1, le=MOST_CARRIED)] | None = None
    carried: SearchCarried | None = None
    larger_scales: Annotated[list[Name], Field(max_length=200)] = []
    own_train: OwnTrain | None = None
    replay: ReplayAsked | None = None
    recorded: RecordedCampaign | None = None
    winner_command: KeptCommand | None = None
    concurrent: Annotated[int, Field(ge=1, le=limits.TRIALS)] | None = None
    gpu_fraction: Annotated[float, Field(ge=0.001, le=1)] | Literal["auto"] | None = None
    cpus: Annotated[int, Field(ge=1, le=limits.TRIALS)] | None = None
    mixed_devices: bool = False
    stall_minutes: Annotated[float, Field(ge=0.01, le=1e6)] = 30.0
    compile: bool | None = None
    compiled: bool | None = None
    keep: Name | None = None
    monitor: Name | None = None
    checkpoint_every: Annotated[int, Field(ge=1, le=10**9)] | Literal["validation", "none"] | None = None
    checkpoint_activations: bool | None = None
    checkpointed: bool | None = None
    gpu_sharing: GpuSharing | None = None
    shapes: CountedShapes | None = None
    compile_blocks: bool = False
    flex_attention: bool = False
    cuda_graphs: bool = False
    compacted: bool = False
    data: Name = ""
    data_description: Text = ""
    code_version: Text | None = None
    environment: dict[str, Any] = {}
    created_at: Text = ""

    @model_validator(mode="after")
    def agrees_with_itself(self) -> CampaignFile:
        """Fields that are about each other."""
        if self.confirm is not None:
            try:
                Design.parse(self.confirm)
            except ValueError as error:
                raise ValueError(f"confirm: {error}") from None
        for name in (*self.objectives, *([self.objective] if self.objective else [])):
            if name not in MEASURES and self.own_train is None:
                raise ValueError(f"the objective {name!r} does not exist: {nearest(name, MEASURES, 'measures')}")
        _once(self.objectives, "objectives")
        if self.objectives and self.objective and self.objectives[0] != self.objective:
            raise ValueError(f"objective is {self.objective!r} but the first of objectives is {self.objectives[0]!r}")
        if isinstance(self.inert, list):
            _among(self.inert, self.knobs, "inert")
        for point in self.prior or ():
            _among(point.values, self.knobs, f"prior of {shortened(point.name)}")
        for trial in () if self.carried is None else self.carried.trials:
            _among(trial.values, self.knobs, f"carried trial {trial.number}")
        return self


def _once(names: Iterable[str], field: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{field} has {name!r} twice")
        seen.add(name)


def _among(names: Iterable[str], known: Iterable[str], field: str) -> None:
    known = set(known)
    for name in names:
        if name not in known:
            raise ValueError(f"{field} names {name!r}: {nearest(name, known, 'names')}")


def read(path: Location) -> dict[str, Any]:
    """The campaign that a file holds, with whole paths; a ValueError as of :func:`parse`, and for one too large."""
    try:
        content = files.read(path, CAMPAIGN_BYTES)
    except TooLargeError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    return of_content(path, content)


def of_content(path: Location, content: bytes) -> dict[str, Any]:
    """The campaign that the file's content describes, with whole paths."""
    return places.whole(path.parent, parse(path, content))


def parse(path: Location, content: bytes) -> dict[str, Any]:
    """The campaign that a file holds; a ValueError, one line, for anything that is none or of a newer version."""
    try:
        campaign = plain_json(content)
        if not isinstance(campaign, dict) or not isinstance(campaign.get("knobs"), dict):
            raise ValueError("it must hold an object with 'schema_version' and 'knobs'")
        version = campaign.get("schema_version")
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise ValueError(f"schema_version is {as_set(version)} but must be a whole number from 1")
        if version <= SCHEMA_VERSION:
            check(CampaignFile, campaign)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if version > SCHEMA_VERSION:
        raise ValueError(f"{path} has schema_version {version} but this code reads up to {SCHEMA_VERSION}")
    return campaign


def plain_json(content: bytes, most_bytes: int = CAMPAIGN_BYTES) -> Any:
    """JSON of a limited size and depth, with finite numbers, each name once and text that can be printed."""
    if len(content) > most_bytes:
        raise ValueError(f"it holds {len(content):,} bytes but may hold at most {most_bytes:,}")
    found = json.loads(content, object_pairs_hook=_object, parse_constant=_no_number)
    _check_plain(found)
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        _once((name for name, _ in pairs), "an object")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _check_plain(value: Any, depth: int = 0) -> None:
    """Raise a ValueError for what is too deep or too large, and for text that has no form in UTF-8."""
    if depth > DEPTH:
        raise ValueError(f"lists and objects are nested more than {DEPTH} deep")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_text(name)
            _check_plain(member, depth + 1)
    elif isinstance(value, list):
        for member in value:
            _check_plain(member, depth + 1)
    elif isinstance(value, int | float) and not (abs(value) <= LARGEST_NUMBER and math.isfinite(value)):
        raise ValueError(f"the number {shortened(value)} is beyond {LARGEST_NUMBER:g}")


def _check_text(text: str) -> None:
    if len(text) > JSON_TEXT:
        raise ValueError(f"the text {shortened(text)} has {len(text):,} characters but may have at most {JSON_TEXT:,}")
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError(f"the text {shortened(text)} holds half a character (a lone surrogate)")


def check(model: type[BaseModel], found: Mapping[str, Any]) -> None:
    """Raise a ValueError, one line, for the first field that is not as ``model`` has it."""
    try:
        model.model_validate(found)
    except ValidationError as error:
        raise ValueError(complaint_in_words(error)) from None


def require(path: Location, found: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raise a ValueError for a field that is missing."""
    for name in names:
        if name not in found:
            raise ValueError(f"{path} cannot be resumed: it holds no {name!r}")
