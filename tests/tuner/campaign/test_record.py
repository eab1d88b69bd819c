from __future__ import annotations

import json

import pandas as pd
import pytest

from results.questions.knobs import knobs_of
from search_spaces import load, names
from search_spaces.domains import Choice, LogUniform, Uniform
from tuner.campaign.record import ranges_of


@pytest.mark.parametrize("name", names())
def test_the_domains_of_a_space_are_read_again_as_they_are(name):
    space = load(name)
    kept = json.loads(json.dumps({"ranges": ranges_of(space.knobs), "knobs": space.column_types()}))
    none = pd.DataFrame({knob.path: [] for knob in space.knobs})
    for knob, read in zip(space.knobs, knobs_of(kept, none), strict=True):
        domain = knob.domain
        assert read.path == knob.path and dict(read.when or {}) == {k: list(v) for k, v in (knob.when or {}).items()}
        if isinstance(domain, Choice):
            assert (read.kind, read.options) == ("choice", domain.labels)
        else:
            kind = "log" if isinstance(domain, LogUniform) else "uniform" if isinstance(domain, Uniform) else "integer"
            assert (read.kind, read.low, read.high) == (kind, domain.low, domain.high)
