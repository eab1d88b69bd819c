"""The config that a trial's row keeps, checked against its key: a folder may say of one config what another did."""

from __future__ import annotations

import json

from results.row_types import TrialRow
from trainable.component import OtherSourceError, decode
from trainable.config import TrainConfig


def config_of(row: TrialRow) -> TrainConfig | None:
    """The config of a training, None where the row's values made none.

    A ValueError for anything else, and for one whose key (the hash of config, seed and data) is not the row's; an
    OtherSourceError where the user's own code is another than it was.
    """
    try:
        config = decode(json.loads(row["config"]))
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
