"""The person who hands in a submission to parameter golf, as options name one: checked before any campaign is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner.artifacts.kept_trial import KeptTrial

GOLF = "parameter_golf"
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")  # of GitHub


@dataclass(frozen=True)
class Author:
    """The person who hands in, and what the submission is called."""

    name: str
    github_id: str
    title: str | None = None
    blurb: str | None = None


def check_names(name: str | None, github_id: str | None, title: str | None, blurb: str | None) -> None:
    """Raise a ValueError for options that name no author; they may all be left out."""
    if name is github_id is title is blurb is None:
        return
    if not name or not github_id:
        raise ValueError("a submission names its author: give both --author and --github-id")
    if _LOGIN.fullmatch(github_id) is None:
        raise ValueError(f"--github-id {github_id!r} is no name on GitHub: letters, digits and '-', at most 39")


def author_of(
    name: str | None, github_id: str | None, title: str | None, blurb: str | None, trial: KeptTrial
) -> Author | None:
    """The author that the options name, None where they name none; a ValueError where no submission can be made."""
    check_names(name, github_id, title, blurb)
    if not name or not github_id:
        return None
    if trial.row["space"] != GOLF:
        raise ValueError(f"--author is for a submission to {GOLF}: {trial.name} is of {trial.row['space']!r}")
    if trial.sources:
        raise ValueError(f"--author: no submission can be made of {trial.name}, which needs code of your own")
    return Author(name, github_id, title, blurb)
