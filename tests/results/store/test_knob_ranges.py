from __future__ import annotations

import pytest

from results.store import campaign_json


@pytest.mark.parametrize(
    ("kept", "complaint"),
    [
        ({"kind": "choice"}, "a choice needs options"),
        ({"kind": "log", "low": 0, "high": 1}, "must be positive on a log scale"),
        ({"kind": "uniform", "low": 2, "high": 1}, "a range must go up"),
        ({"kind": "integer", "low": 2}, "a range must go up"),
        ({"kind": "log", "low": "x", "high": 1}, "low is 'x'"),
        ({"kind": "logarithmic"}, "'logarithmic'"),
        ({"when": {"kind": "deep"}}, "'deep'"),
        ("0 .. 1", "ranges.rate"),
    ],
)
def test_a_domain_that_is_none_is_refused_in_one_line_when_it_is_read(kept, complaint):
    with pytest.raises(ValueError) as refused:
        campaign_json.check(campaign_json.CampaignFile, {"knobs": {}, "ranges": {"rate": kept}})
    assert complaint in str(refused.value) and "\n" not in str(refused.value)


def test_domains_in_words_only_are_those_of_an_earlier_version():
    campaign_json.check(
        campaign_json.CampaignFile, {"knobs": {}, "ranges": {"rate": {"domain": "0 .. 1", "why": "x", "when": None}}}
    )
