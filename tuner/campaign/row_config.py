"""The config that a trial's row keeps, checked against its key: a folder may say of one config what another did."""

from __future__ import annotations

import json
from typing import Any

from results.store.row_types import TrialRow
from search_spaces import own_train
from search_spaces.own_train import OwnConfig
from trainable.component import OtherSourceError
from trainable.component_json import decode, encode
from trainable.config import TrainConfig
from trainable.training import Training


def to_json(config: Training) -> Any:
    """A config as JSON data, as rows and requests have it."""
    return config.to_json() if isinstance(config, OwnConfig) else encode(config)


def training_of(row: TrialRow, base: Training) -> Training | None:
    """The config of a row of the campaign whose base is ``base``; see :func:`config_of`."""
    return own_config_of(row) if isinstance(base, OwnConfig) else config_of(row)


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


def config_of(row: TrialRow) -> TrainConfig | None:
    """The config of a training, None where the row's values made none.

    A ValueError for anything else, and for one whose key (the hash of config, seed and data) is not the row's; an
    OtherSourceError where the user's own code is another than it was.
    """
    try:
        kept = json.loads(row["config"])
        if isinstance(kept, dict) and kept.get("type") == own_train.OWN:
            raise ValueError("it is of a train function of somebody's own (tuner.tune), which only that can train")
        config = decode(kept)
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
    if row["data"] is not None and config.key(row["data"]) != row["key"]:
        raise ValueError(
            f"trial {row['key']!r} has the config of another trial, whose key is {config.key(row['data'])!r}"
        )
    return config
