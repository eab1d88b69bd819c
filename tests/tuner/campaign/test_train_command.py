"""The command that trains what a campaign has found is judged as the campaign's trials are."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

import search_spaces
from results.page.reproduce import asked
from results.winner_command import is_plain_call
from tuner.campaign.train_command import train_command
from tuner.cli import options
from tuner.question import ask

GOLF = {"space": "parameter_golf", "scale": "proxy", "trials": 4}


@pytest.mark.parametrize(
    ("objectives", "constraints"),
    [
        (["val_loss"], []),
        (["val_bpb"], ["parameters<=9000000", "val_loss<=5"]),
        (["val_bpb", "train_seconds"], []),
    ],
)
def test_a_found_config_is_judged_by_what_the_campaign_asked_for(objectives, constraints) -> None:
    space, campaign = search_spaces.load("parameter_golf"), {**GOLF, "objectives": objectives}
    campaign["constraints"] = constraints
    line = train_command(Path("runs/x"), (), space, campaign, space.scale("proxy").base)
    assert line is not None and is_plain_call(line)
    found = ask(space, options.parse(shlex.split(line)[3:]).spec).space
    assert list(found.objectives) == objectives
    assert len(found.constraints) == len(space.constraints) + len(constraints)
    again = asked(campaign)
    assert again is not None
    judged = ask(space, options.parse(shlex.split(again)[3:]).spec).space
    assert (judged.objectives, judged.constraints) == (found.objectives, found.constraints), "as the page's command"
