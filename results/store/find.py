"""A campaign as people name it: by its path or URL, or by its name in the folder of all campaigns.

A text with a separator, a ``~`` or a scheme is a path, and means that place alone. Any other text is a name: that of a
campaign in the folder of all, or of a folder here that is one; where both are there, neither is taken.
A path object of Python is a path, also where its text alone would be a name.
"""

from __future__ import annotations

import os
from pathlib import Path

from storage.location import Location, Url, absolute, is_path, location
from terminal.nearest import closest, nearest

from results.store.names import is_name

RUNS = Path("results/runs")  # where campaigns are, unless --results says otherwise
FILE = "campaign.json"  # campaign_folder.py, which takes its time


class NoCampaignError(ValueError):
    """A name that no campaign has."""


def find(text: str, runs: Location = RUNS) -> Location:
    """The campaign that ``text`` means: the place of a path, which is not looked at, or the folder of a name.

    A ValueError for a name that no campaign has, with the nearest that one has, and for a name of two.
    """
    here = location(text)
    if here.name == FILE and _is_file(here):  # of the folder that is meant
        return location(str(here.parent))
    if is_path(text):
        return here
    from storage import files  # with pyarrow, for which a command line that is only parsed need not wait

    from results.store.campaigns import CAMPAIGN, campaigns

    both = [runs / text, here] if is_name(text) else [here]
    found = [folder for folder in both if files.is_file(folder / CAMPAIGN)]
    if len({absolute(folder) for folder in found}) > 1:
        raise ValueError(f"{text!r} is a campaign in {runs} and a folder here: say {runs / text} or ./{text}")
    if not found:
        names = [folder.name for folder in campaigns(runs)]
        close = closest(text, names) if runs != RUNS else None  # elsewhere a name alone would find nothing
        hint = f"did you mean {str(runs / close)!r}?" if close else nearest(text, names, f"campaigns in {runs}")
        where = f"neither {' nor ./'.join(map(str, both))} holds {CAMPAIGN} (a path is taken as it is)"
        raise NoCampaignError(f"{text} is no campaign: {where}; {hint}")
    return found[0]


def latest(runs: Location, to: str) -> Location:
    """The campaign that was started last; a ValueError, with what it is ``to`` be done, where there is none."""
    from storage import files

    from results.store.campaigns import CAMPAIGN, campaigns

    found = sorted(campaigns(runs), key=lambda folder: files.modified(folder / CAMPAIGN))
    if not found:
        raise ValueError(f"there is no campaign in {runs} to {to}")
    return found[-1]


def text_of(place: str | os.PathLike[str] | Url) -> str:
    """The text that names the same campaign: a path object means that place, where a text alone may be a name."""
    if not isinstance(place, os.PathLike):
        return str(place)
    text = os.fspath(place)
    return text if is_path(text) else f"./{text}"


def _is_file(path: Location) -> bool:
    from storage import files

    return files.is_file(path)
