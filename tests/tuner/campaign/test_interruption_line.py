"""The line that answers a first signal at once, where no live display does."""

from __future__ import annotations

import signal

import pytest

from tuner.campaign.driver import interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("running", "waits"),
    [
        (0, ""),
        (1, ", waits for the checkpoint of 1 running trial"),
        (2, ", waits for the checkpoints of 2 running trials"),
    ],
)
def test_a_first_signal_is_answered_before_the_campaign_has_ended(bench, capfd, number, running, waits) -> None:
    search = bench.search(trials=4, slots=2)
    for _ in range(running):
        search.start(search.next().key)
    with interruptible(search):
        signal.raise_signal(number)
        said = capfd.readouterr().err
        assert said == f"tuner: interrupted: stopping{waits}; again to end now\n"
    assert search.stopping == "interrupted" and capfd.readouterr().err == ""


def test_a_live_display_says_it_itself(bench, capfd) -> None:
    search = bench.search()
    with interruptible(search, is_shown=True):
        signal.raise_signal(signal.SIGTERM)
    assert search.stopping == "interrupted" and capfd.readouterr().err == ""
