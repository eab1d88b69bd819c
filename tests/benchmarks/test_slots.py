"""The driver's load is that of the product's own search over a simulated time."""

from __future__ import annotations

import pytest

from benchmarks import slots


def test_a_row_counts_every_trial_of_the_product_s_own_search() -> None:
    cells = dict(zip(slots.HEADINGS, slots.row(2, "random", 2), strict=True))
    assert cells["slots"] == "2" and cells["trials"] == "4"
    assert float(cells["reports/s"]) > 4 / (4 * 1.2 * slots.SECONDS), "each trial reports at least once"
    assert 0 < float(cells["CPU a trial"].removesuffix(" ms")) < 1000 * slots.SECONDS and float(cells["load"]) < 1


def test_a_trial_takes_half_a_minute_give_or_take_a_fifth() -> None:
    seconds = [slots.made_up(f"{number:016x}")[0] for number in range(200)]
    assert 24 <= min(seconds) < 25 and 35 < max(seconds) <= 36


def test_an_unknown_sampler_is_refused(capsys) -> None:
    with pytest.raises(SystemExit) as refused:
        slots.main(["--samplers", "gpp"])
    assert refused.value.code == 2 and "gpp" in capsys.readouterr().err
