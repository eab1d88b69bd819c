from __future__ import annotations

import pytest

import search_spaces
from search_spaces.domains import Choice
from search_spaces.likely import part_of, with_likely

GOLF = search_spaces.load("parameter_golf")
GIVEN = [
    "optimizer.matrix_lr=0.02..0.1",
    "model.encoder_layers=1..2",
    "schedule=Tidal|Cosine",
    "hooks.GradientClip.max_norm=null",
    "optimizer.muon_wd=0..0.1",
]


def test_expert_ranges_are_parts_of_their_knobs_domains() -> None:
    space = with_likely(GOLF, GIVEN)
    said = {knob.path: str(knob.likely) for knob in space.knobs if knob.likely is not None}
    assert said == {
        "schedule": "Tidal | Cosine",
        "optimizer.matrix_lr": "0.02 .. 0.1 (log)",
        "optimizer.muon_wd": "0 .. 0.1",
        "model.encoder_layers": "1 .. 2",
        "hooks.GradientClip.max_norm": "null",
    }
    assert [knob.domain for knob in space.knobs] == [knob.domain for knob in GOLF.knobs]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("optimizer.matrix_lr", "takes PATH=LOW..HIGH"),
        ("=0.1..0.2", "takes PATH=LOW..HIGH"),
        ("optimizer.matrix_rl=0.02..0.1", "did you mean 'optimizer.matrix_lr'"),
        ("optimizer.matrix_lr=0.02", "must be LOW..HIGH within 0.01 .. 0.3"),
        ("optimizer.matrix_lr=0.02..0.5", "must be LOW..HIGH within 0.01 .. 0.3"),
        ("optimizer.matrix_lr=0.1..0.02", "must be LOW..HIGH within 0.01 .. 0.3"),
        ("optimizer.matrix_lr=low..0.1", "'low' is no number"),
        ("optimizer.matrix_lr=0.02..true", "'true' is no number"),
        ("optimizer.matrix_lr=nan..0.1", "'nan' is no number"),
        ("model.encoder_layers=1.5..2", "must be LOW..HIGH within 0 .. 4"),
        ("schedule=Tidle|Cosine", "did you mean 'Tidal'"),
        ("model.tie_embeddings=yes", "'yes' is no option"),
    ],
)
def test_what_is_no_part_of_a_domain_is_refused_in_one_line(text, said) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as refused:
        with_likely(GOLF, [text])
    assert said in str(refused.value)


@pytest.mark.parametrize("text", ["true|false", "True|False"])  # as it is set, and as campaigns of before wrote it
def test_a_switch_is_named_as_it_is_set(text: str) -> None:
    domain = search_spaces.load("parameter_golf").knob("model.tie_embeddings").domain
    assert part_of(domain, "model.tie_embeddings", text) == Choice(True, False)


def test_a_knob_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="muon_wd is given twice"):
        with_likely(GOLF, ["optimizer.muon_wd=0..0.1", "optimizer.muon_wd=0..0.05"])


def test_an_expert_range_outlives_what_is_fixed_inside_its_components() -> None:
    space = with_likely(GOLF, ["schedule=Tidal|Cosine"])
    _, fixed = space.fixed(space.scale("proxy").base, {"schedule.min_lr_frac": 0.2})
    knob = fixed.knob("schedule")
    assert isinstance(knob.domain, Choice) and knob.domain.options["Tidal"].min_lr_frac == 0.2
    assert knob.likely.labels == ("Tidal", "Cosine")
