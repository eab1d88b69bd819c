"""What is prepared ahead for a run of a campaign is what that campaign's space reads."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import search_spaces
from trainable.campaign_runs import _RUNS, RUN_SCALES, campaign_run
from trainable.data.sources import DOWNLOADED, STDLIB
from tuner.plan.cost import tokens_of


@pytest.mark.parametrize("scale", RUN_SCALES)
@pytest.mark.parametrize("source", [*DOWNLOADED, STDLIB])
def test_a_campaigns_run_is_that_of_its_space(source: str, scale: str) -> None:
    run = campaign_run(source, scale)
    base = search_spaces.load(run.space).scale(scale).base
    base = replace(base, data=replace(base.data, source=source))
    assert run.data == base.data and run.evaluation == base.evaluation and run.limit == base.budget.unit
    tokens, batch = tokens_of(base), base.data.batch_tokens
    assert run.tokens == (None if tokens is None else math.ceil(tokens / batch) * batch)


def test_each_downloaded_set_has_its_own_campaign_whose_full_scale_reads_it() -> None:
    assert _RUNS.keys() == {*DOWNLOADED}
    for source in DOWNLOADED:
        base = search_spaces.load(campaign_run(source).space).scale("full").base
        assert source.removesuffix("_40M") == base.data.source
