"""Vectors of points: equal where points do the same, and in order where values have one."""

from __future__ import annotations

import numpy as np

from benchmarks.surrogate import encoding


def vector(small, **changes) -> dict[str, float]:
    base = small.space.values_of(small.base)
    values = base | {path.replace("__", "."): value for path, value in changes.items()}
    active = {}
    for knob in small.space.knobs:
        if small.space.active(knob, active) and knob.path in values:
            active[knob.path] = values[knob.path]
    return dict(zip(encoding.columns(small.space), encoding.encode(small.space, [active])[0], strict=True))


def test_numbers_lie_in_their_range_by_the_logarithm_where_the_domain_is_logarithmic(small) -> None:
    found = vector(small, optimizer__matrix_lr=float(np.sqrt(0.01 * 0.3)), optimizer__muon_wd=0.05)
    assert np.isclose(found["optimizer.matrix_lr"], 0.5) and np.isclose(found["optimizer.muon_wd"], 0.25)


def test_a_choice_of_numbers_has_an_order_and_other_labels_are_equally_far_apart(small) -> None:
    widths = [vector(small, model__model_dim=width)["model.model_dim"] for width in (16, 32, 48, 64)]
    assert np.allclose(widths, [0, 1 / 3, 2 / 3, 1])
    whole = [np.array([*vector(small, model__mlp=name).values()]) for name in ("Relu2", "Gelu2", "SwiGLU")]
    apart = [np.linalg.norm(one - other) for one in whole for other in whole if one is not other]
    assert np.allclose(apart, 1.0)


def test_a_knob_that_is_not_active_has_the_middle_of_its_range(small) -> None:
    tied = vector(small, model__tie_embeddings=True, optimizer__tied_embed_lr=0.1)
    untied = vector(small, model__tie_embeddings=False)
    assert tied["optimizer.head_lr"] == encoding.MIDDLE == untied["optimizer.tied_embed_lr"]
    assert tied["optimizer.tied_embed_lr"] != encoding.MIDDLE
