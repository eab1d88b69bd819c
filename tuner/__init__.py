"""Search of a space: Ray Tune runs trials, Optuna proposes them, early stopping ends the bad ones. Start at ``run.py``.

In Python: ``tuner.search``, ``tuner.replay`` and ``tuner.load`` (api.py), and for a train function of your own
``tuner.tune`` (own/train.py), which are loaded when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from terminal.started_module import refuse_library
from tuner.cluster.home import ensure_home

if TYPE_CHECKING:
    from tuner.api import load, replay, search
    from tuner.own.program import command_line
    from tuner.own.running import Stopped
    from tuner.own.train import tune
    from tuner.python.campaign import Best, Campaign
    from tuner.spec import CampaignSpec

__all__ = ["Best", "Campaign", "CampaignSpec", "Stopped", "command_line", "load", "replay", "search", "tune"]

_WHERE = {"load": "api", "replay": "api", "search": "api", "Best": "python.campaign", "Campaign": "python.campaign"}
_WHERE |= {"CampaignSpec": "spec", "tune": "own.train", "command_line": "own.program", "Stopped": "own.running"}

refuse_library()
ensure_home()  # before anything imports Ray, which ends in a traceback without one


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        from terminal.nearest import closest

        close = closest(name, __all__)
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}{'' if close is None else f': did you mean {close!r}?'}"
        )
    from tuner.python.widgets import without_widgets

    with without_widgets():
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
