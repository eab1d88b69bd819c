"""Two scales are compared on the same configs."""

from __future__ import annotations

import io

from benchmarks.surrogate import scales
from terminal.console import Console


def test_every_point_is_a_run_at_both_scales_and_the_base_comes_first() -> None:
    points, bases = scales.points(12), scales.bases()
    space = scales.search_spaces.load(scales.SPACE)
    assert space.config(bases["proxy"], points[0]) == bases["proxy"]
    assert points == scales.points(14)[:12] and len({str(point) for point in points}) == 12
    for point in points:
        for name, base in bases.items():
            config = space.config(base, scales.at_scale(point, name))
            assert config.model.encoder_layers <= config.model.num_layers


def test_the_rank_correlation_is_over_configs_that_completed_at_both_scales() -> None:
    rows = [
        {"number": number, "scale": scale, "status": "completed", "rungs": [end]}
        for number, ends in enumerate([(3.0, 5.0), (3.1, 5.2), (3.2, 5.1), (3.3, 5.3)])
        for scale, end in zip(("proxy", "small"), ends, strict=True)
    ]
    rows += [
        {"number": 4, "scale": "proxy", "status": "completed", "rungs": [1.0]},
        {"number": 4, "scale": "small", "status": "diverged", "rungs": []},
    ]
    console = Console(file=io.StringIO(), width=120)
    scales.show(console, rows)
    shown = console._file.getvalue()
    assert "rank correlation over 4 configs: 0.80" in shown and "config 4" not in shown
