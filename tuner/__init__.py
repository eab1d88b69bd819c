"""How a space is searched: Ray Tune runs trials, Optuna proposes them, ASHA stops the bad ones. Start at ``run.py``.

In Python: ``tuner.search``, ``tuner.replay`` and ``tuner.load`` (api.py), and for a train function of your own
``tuner.tune`` (own_train.py), which are loaded when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tuner.home import ensure_home

if TYPE_CHECKING:
    from tuner.api import load, replay, search
    from tuner.campaign import Best, Campaign
    from tuner.own_program import command_line
    from tuner.own_running import Stopped
    from tuner.own_train import tune
    from tuner.spec import CampaignSpec

__all__ = ["Best", "Campaign", "CampaignSpec", "Stopped", "command_line", "load", "replay", "search", "tune"]

_WHERE = {"load": "api", "replay": "api", "search": "api", "Best": "campaign", "Campaign": "campaign"}
_WHERE |= {"CampaignSpec": "spec", "tune": "own_train", "command_line": "own_program", "Stopped": "own_running"}

ensure_home()  # before anything imports Ray, which ends in a traceback without one


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tuner.widgets import without_widgets

    with without_widgets():
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
