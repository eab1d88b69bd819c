"""A campaign's specification: what is asked, how it is judged and how it is run. The one truth about all three.

The command line and the Python functions make one of what a user gives (None: as the space and the machine have it),
``question.py`` settles it, ``campaign.json`` keeps it, and a resume reads it, changes what may change, and goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from results.design import Design
from results.store.places import RECORDED
from storage.location import absolute, location
from tuner.campaign.carried import Carried
from tuner.search_methods import TPE_UNIFORM

VERSION = 2  # of what is kept; 1 had no number, and of how a campaign is run only whether steps are compiled
AS_RUN = "as_run"
ALWAYS_KEPT = ("space", "scale", "objective", "overrides", "base", "trials", "seed", "data", "stopper", "fidelity")
STALL_MINUTES = 30.0
BY_DEVICE = "auto"  # the precision that the devices multiply themselves
# Trials whose weights stay (loop/keeping.py).
KEEP = KEEP_CONFIRMED, KEEP_BEST, KEEP_ALL, KEEP_NONE = "confirmed", "best", "all", "none"
MOST_PAUSED = 8  # stopped trials whose checkpoints stay while they may go on (loop/promotion.py)
# Moments at which a running trial writes a checkpoint, beside every few minutes.
CHECKPOINT_AT = AT_VALIDATION, AT_NONE = "validation", "none"
_RUN = {"part": "how it is run"}


@dataclass(frozen=True)
class Replay:
    """Recorded runs to train, by ids, patterns, phases, ``bases`` or ``all`` (tuner/proposals/replay_plan.py)."""

    selections: tuple[str, ...]
    reading: str = AS_RUN
    seeds: int = 1


@dataclass(frozen=True, kw_only=True)
class CampaignSpec:
    """Settings that a campaign is begun with, and that a resume goes on with."""

    # what is asked
    space: str
    scale: str | None = None  # full where there is a GPU, else proxy
    overrides: Mapping[str, Any] = field(default_factory=dict)  # dotted path -> value, for the whole campaign
    objective: str | None = None  # what is minimised, or two divided by a comma
    constraints: tuple[str, ...] = ()  # beside the space's own
    likely: tuple[str, ...] = ()  # PATH=RANGE where experts would look first
    imports: tuple[str, ...] = ()  # a user's own files and modules; settled, each as NAME@SHA-256
    trials: int | None = None
    seed: int | None = None
    precision: str | None = None  # of matrix products: fp32 or bf16; None and auto are settled by the devices
    replay: Replay | None = None
    sampler: str | None = None  # a name in tuner/search_methods.py; settled, that of a method, None in a replay
    warm_start: tuple[str, ...] = ()  # "recorded", and campaigns by name, path or URL
    reuse: tuple[str, ...] = ()  # campaigns, in the same way
    # how it is judged
    stopper: str | None = None  # a name in tuner/early_stopping.py
    promote: bool | None = None  # let stopped trials go on where the evidence turns; None: where the rule can tell
    fidelity: str = "truncate"  # a name in trainable/worker/fidelity.py
    reports: int | None = None  # evaluations on the way, evenly over a trial's budget, beside those at rungs
    confirm: Design | Literal[False] | None = None  # what trains after the search (results/statistics/confirmation.py)
    ablate: bool = False  # and then: which of the winner's changes it can do without
    confirm_scale: str | None = None  # at which the search's best are trained beside its base, when all else is done
    carry: int | None = None  # how many of them; None: CARRY
    carried: Carried | None = None  # of such a campaign at a larger scale: what it takes over from the search
    # how it is run
    concurrent: int | None = field(default=None, metadata=_RUN)  # trials at a time
    gpu_fraction: float | Literal["auto"] | None = field(default=None, metadata=_RUN)  # of a GPU, for each trial
    cpus: int | None = field(default=None, metadata=_RUN)  # cores for each trial
    mixed_devices: bool = field(default=False, metadata=_RUN)  # let seconds on unlike devices be compared
    stall_minutes: float = field(default=STALL_MINUTES, metadata=_RUN)  # without a step, after which a trial hangs
    compile: bool | None = field(default=None, metadata=_RUN)  # steps and evaluations; None: where it pays
    keep: str | None = field(default=None, metadata=_RUN)  # one of KEEP; settled, confirmed, in a replay none
    monitor: str | None = field(default=None, metadata=_RUN)  # names as of trainable/monitors.py; settled, all of them
    checkpoint_every: int | str | None = field(default=None, metadata=_RUN)  # steps, or one of CHECKPOINT_AT
    checkpoint_activations: bool | None = field(default=None, metadata=_RUN)  # None: where a trial does not fit without
    compile_blocks: bool = field(default=False, metadata=_RUN)  # each kind of block once, in place of all as one
    flex_attention: bool = field(default=False, metadata=_RUN)  # of windows, and in fp32, in compiled steps on CUDA
    cuda_graphs: bool = field(default=False, metadata=_RUN)  # forward and backward passes as one launch

    def to_json(self) -> dict[str, Any]:
        """Convert it to what ``campaign.json`` keeps, once it is settled."""
        kept = asdict(self)
        objectives = (self.objective or "").split(",")
        kept |= {"objective": objectives[0], "objectives": objectives, "overrides": dict(self.overrides)}
        kept |= {name: list(getattr(self, name)) for name in ("constraints", "likely", "imports")}
        kept["warm_start"] = [_whole(name) for name in self.warm_start] or None
        kept["reuse"] = [_whole(name) for name in self.reuse]
        kept["confirm"] = str(self.confirm) if self.confirm else None
        if self.replay is not None or self.carried is not None:
            del kept["sampler"]
        return {"spec_version": VERSION, **kept}

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> CampaignSpec:
        """The settled one of a ``campaign.json`` that ``campaign_json.py`` has checked, also of an earlier version.

        A ValueError for one of a later version.
        """
        if (version := kept.get("spec_version", 1)) > VERSION:
            raise ValueError(f"it has spec_version {version}, but this code reads up to {VERSION}: update it")
        found = {f.name: kept[f.name] for f in fields(cls) if kept.get(f.name) is not None}
        found["objective"] = ",".join(kept.get("objectives") or [kept["objective"]])
        found |= {n: tuple(found.get(n, ())) for n in ("constraints", "likely", "imports", "warm_start", "reuse")}
        found["reports"], found["promote"] = kept.get("reports", 0), kept.get("promote", False)
        found["confirm"] = Design.parse(kept["confirm"]) if kept.get("confirm") else False
        if (carried := kept.get("carried")) is not None:
            found["carried"] = Carried.of_json(carried)
        elif (asked := kept.get("replay")) is None:
            found.setdefault("sampler", TPE_UNIFORM)  # of a campaign from before there was another
        else:
            found["replay"] = Replay(tuple(asked["selections"]), asked["reading"], asked["seeds"])
        return cls(**found)


HOW_IT_IS_RUN = tuple(f.name for f in fields(CampaignSpec) if f.metadata == _RUN)


def _whole(name: str) -> str:
    return name if name == RECORDED else absolute(location(name))
