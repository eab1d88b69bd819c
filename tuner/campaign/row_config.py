"""The config that a trial's row keeps, checked against its key: a folder may say of one config what another did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from results.store.row_types import TrialRow
from search_spaces import own_train
from search_spaces.own_train import OwnConfig
from trainable.alike_configs import AlikeConfigs
from trainable.component import OtherSourceError
from trainable.component_json import encode
from trainable.config import TrainConfig
from trainable.training import Training


class EarlierVersionError(ValueError):
    """A trial was trained before a field existed that its training is decided by now: its result is another's."""

    def __init__(self, key: str, field: str) -> None:
        super().__init__(f"trial {key!r} was trained by an earlier version, which had no {field}")
        self.field = field


def to_json(config: Training) -> Any:
    """A config as JSON data, as rows and requests have it."""
    return config.to_json() if isinstance(config, OwnConfig) else encode(config)


def training_of(row: TrialRow, base: Training, alike: AlikeConfigs | None = None) -> Training | None:
    """The config of a row of the campaign whose base is ``base``; see :func:`config_of`."""
    return own_config_of(row) if isinstance(base, OwnConfig) else config_of(row, alike)


def own_config_of(row: TrialRow) -> OwnConfig:
    """The config of a training by a user's function; a ValueError for anything else."""
    try:
        config = own_train.of_json(json.loads(row["config"]))
        key = config.key(str(row["data"]))
    except (ValueError, ArithmeticError, TypeError) as error:
        raise ValueError(f"the config of trial {row['key']!r} cannot be read: {error}") from None
    if key != row["key"]:
        raise ValueError(f"trial {row['key']!r} has the config of another trial, whose key is {key!r}")
    return config


def config_of(row: TrialRow, alike: AlikeConfigs | None = None) -> TrainConfig | None:
    """The config of a training, None where the row's values made none.

    A ValueError for anything else, and for one whose key (the hash of config, seed and data) is not the row's; an
    OtherSourceError where the user's own code is another than it was, an EarlierVersionError where our own is. Who asks
    for many passes on what they are decoded by.
    """
    alike = alike or AlikeConfigs()
    try:
        kept = json.loads(row["config"])
        if isinstance(kept, dict) and kept.get("type") == own_train.OWN:
            raise ValueError("it is of a train function of somebody's own (tuner.tune), which only that can train")
        config = alike.decode(kept)
    except OtherSourceError as error:
        raise OtherSourceError(f"the config of trial {row['key']!r} cannot be read: {error}") from None
    except (ValueError, ArithmeticError, TypeError) as error:  # the latter: a config's rules meet values nobody wrote
        raise ValueError(f"the config of trial {row['key']!r} cannot be read: {error}") from None
    if config is None and row["status"] != "infeasible":
        raise ValueError(f"trial {row['key']!r} is {row['status']} but has no config")
    if config is None:
        return None
    if not isinstance(config, TrainConfig):
        raise ValueError(f"the config of trial {row['key']!r} is none of a training")
    if row["data"] is not None and (key := alike.key(config, row["data"])) != row["key"]:
        if (field := came_later(kept, encode(config))) is not None:
            raise EarlierVersionError(str(row["key"]), field)
        raise ValueError(f"trial {row['key']!r} has the config of another trial, whose key is {key!r}")
    return config


def came_later(kept: Any, now: Any, at: str = "") -> str | None:
    """Name the first field that a kept config lacks and that is not null now; None where it has them all."""
    pairs: list[tuple[str, Any, Any]] = []
    if isinstance(now, list) and isinstance(kept, list):
        pairs = [(f"{at}{_name(member)}.", before, member) for before, member in zip(kept, now, strict=False)]
    elif isinstance(now, Mapping) and isinstance(kept, Mapping):
        lacking = next((name for name, value in now.items() if name not in kept and value is not None), None)
        if lacking is not None:
            return f"{at}{lacking}"
        pairs = [(f"{at}{name}.", kept[name], value) for name, value in now.items() if name in kept]
    for where, before, member in pairs:
        if (found := came_later(before, member, where)) is not None:
            return found
    return None


def _name(member: Any) -> str:
    return str(member["type"]) if isinstance(member, Mapping) else ""
