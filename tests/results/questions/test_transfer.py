"""What carried over from a search to a larger scale: ranks of both, their correlation, the winner, and what is next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from results import load
from results.design import DEFAULT
from results.questions.transfer import table_lines, transfer, transfer_lines
from tests.results.questions.conftest import LR, TIED

HERE = {"scale": "full", "stopper": "none"}
CHANGES = [LR, TIED, {**LR, **TIED}, {"optimizer.matrix_lr": 0.07}, {"optimizer.matrix_lr": 0.08}]
THERE = (1.70, 1.75, 1.80, 1.85, 1.95)  # values of the search, whose base has 1.9


def carried(confirmed: bool = True) -> dict:
    trials = [
        {"number": 10 + at, "values": changes, "value": value, "confirmed": confirmed and not at}
        for at, (changes, value) in enumerate(zip(CHANGES, THERE, strict=True))
    ]
    return {"campaign": "night", "scale": "proxy", "trials": trials, "base": {"number": 0, "values": {}, "value": 1.9}}


@pytest.fixture
def at_full(ended, written):
    """The campaign at the larger scale: its base at 1.5, the others at ``values``, some on fresh seeds too."""

    def make(values: tuple, fresh: dict[int, float] | None = None, name: str = "night-at-full", **kept):
        rows = [ended(0, "completed", 1.5)]
        for at, value in enumerate(values):
            status = "diverged" if value is None else "completed"
            rows.append(ended(1 + at, status, value, CHANGES[at]))
        number = 20
        arms = {0: 1.6, **(fresh or {})} if fresh else {}
        for place, seed in enumerate((7, 8, 9)):
            for arm, value in arms.items():
                cells = {
                    "stage": "confirm",
                    "arm": f"{arm:016x}",
                    "round": 0,
                    "design": f"{len(arms) - 1}x3",
                    "seed": seed,
                }
                noisy = value + (0.001, -0.001, 0.0005)[place] * (-1) ** number + 0.1 * place
                changes = CHANGES[arm - 1] if arm else {}
                rows.append(ended(number, "completed", noisy, changes, is_base=not arm, **cells))
                number += 1
        return written(rows, name=name, carried=carried(), trials=6, **HERE, **kept)

    return make


def test_ranks_and_differences_of_both_scales_stand_beside_each_other(at_full) -> None:
    table = transfer(at_full((1.30, 1.45, 1.35, 1.40, None)))
    assert table["search_trial"].tolist() == [10, 11, 12, 13, 0, 14] and table["search_rank"].tolist() == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]
    assert table["rank"].tolist()[:5] == [1, 4, 2, 3, 5] and table["rank"].isna().tolist() == [False] * 5 + [True]
    assert table["search_versus_base"].round(6).tolist()[:4] == [-0.2, -0.15, -0.1, -0.05]
    assert table["versus_base"].round(6).tolist()[:4] == [-0.2, -0.05, -0.15, -0.1]
    assert table["is_base"].tolist() == [False] * 4 + [True, False] and table["versus_base"].isna()[4]


def test_the_correlation_is_that_of_the_configs_with_both_values_and_its_interval_is_wide(at_full) -> None:
    table = transfer(at_full((1.30, 1.45, 1.35, 1.40, None)))
    found = table.attrs["correlation"]
    assert found["value"] == pytest.approx(0.7) and found["low"] < 0 < found["high"]
    assert (
        "rank correlation 0.70 over 5 configs (95 % interval -0.59 to 0.98): so few configs do not tell"
        in (table.attrs["lines"][0])
    )
    whole = transfer(at_full((1.30, 1.32, 1.35, 1.40, 1.6), name="whole"))
    assert whole.attrs["lines"][0].endswith("the order carries over.")
    turned = transfer(at_full((1.7, 1.65, 1.6, 1.55, 1.4), name="turned"))
    assert turned.attrs["lines"][0].endswith("the order is turned round.")
    few = transfer(at_full((1.3, 1.4, None, None, None), name="few"))
    assert (
        few.attrs["correlation"] is None
        and "3 configs with both values, at least 4 are needed" in few.attrs["lines"][0]
    )


@pytest.mark.parametrize(
    ("fresh", "said"),
    [
        ({1: 1.4, 2: 1.5}, "The search's winner (trial 10, -0.2000 against the base there) holds at scale full: -0.2"),
        ({1: 1.8, 2: 1.5}, "does not hold at scale full: +0.1983 against the base, established: worse."),
        ({1: 1.6017, 2: 1.5}, "is not settled at scale full"),
        (
            {2: 1.5},
            "at scale full is so far one run: val_bpb 1.3000, -0.2000 against the base, rank 1 of 6. It was not",
        ),
    ],
)
def test_the_winner_holds_where_fresh_seeds_establish_it_at_the_larger_scale_too(fresh, said, at_full) -> None:
    lines = transfer(at_full((1.30, 1.45, 1.35, 1.40, 1.6), fresh)).attrs["lines"]
    assert said in lines[1]


def test_a_winner_that_diverged_there_or_has_not_begun_has_no_value(at_full) -> None:
    lines = transfer(at_full((None, 1.45, 1.35, 1.40, 1.6))).attrs["lines"]
    assert lines[1].endswith("has no value at scale full yet, or did not complete there.")
    table = transfer(at_full((), name="begun"))
    assert table["trial"].notna().tolist() == [False] * 4 + [True, False] and table["rank"].notna().sum() == 1


def test_the_search_answers_with_what_stands_in_the_campaign_beside_it(at_full, confirmed) -> None:
    there = at_full((1.30, 1.45, 1.35, 1.40, 1.6), {1: 1.4})
    search = confirmed(confirm_scale="full", larger_scales=["full"])
    assert search.transfer().equals(there.transfer())
    assert transfer_lines(search)[-1] == "All of it: campaign night-at-full, beside this one."
    assert transfer_lines(there)[-1] != transfer_lines(search)[-1]
    assert transfer_lines(confirmed(name="day")) == [] and confirmed(name="noon").transfer().empty


def test_the_table_in_text_has_a_line_a_config(at_full) -> None:
    lines = table_lines(transfer(at_full((1.30, 1.45, 1.35, 1.40, None), {1: 1.4})))
    assert len(lines) == 7 and lines[0].split()[:4] == ["search", "rank", "value", "vs"]
    assert lines[1].split()[:5] == ["10", "1", "1.7000", "-0.2000", "1"] and "established: better" in lines[1]
    assert "(base) 0" in lines[5]


def test_a_damaged_campaign_beside_a_search_is_named_and_does_not_hide_the_search(at_full, confirmed) -> None:
    there = at_full((1.3,))
    search = confirmed(confirm_scale="full", larger_scales=["full"])
    (there.store.folder / "campaign.json").write_text("{")
    (line,) = transfer_lines(search)
    assert line.startswith("The campaign at scale full cannot be read: ") and "night-at-full" in line
    assert "mended first" in search.next_steps()["why"].iloc[0]


def test_a_winner_of_a_proxy_is_told_to_be_tried_at_the_larger_scale_first_of_all(confirmed, at_full) -> None:
    first = confirmed(larger_scales=["full", "replay"]).next_steps().iloc[0]
    assert first["step"] == "carry over" and first["command"].endswith("--confirm-scale full")
    runs = f"{DEFAULT.fewest_runs} to {DEFAULT.most_runs} runs"
    assert first["takes"] == f"7 trials and {runs} at scale full" and first["runs"] == 7 + DEFAULT.fewest_runs
    assert "of scale proxy: only runs at scale full say" in first["why"]


def test_nothing_is_to_be_carried_over_without_a_winner_a_larger_scale_or_once_it_is_done(
    confirmed, unsettled, at_full, searched, written
) -> None:
    for name, campaign in {
        "one": confirmed(name="one"),
        "open": load(unsettled.store.folder),
        "none": written(searched, name="none", larger_scales=["full"]),
    }.items():
        assert "carry over" not in campaign.next_steps()["step"].tolist(), name
    at_full((1.30, 1.45, 1.35, 1.40, 1.6))
    assert "carry over" not in confirmed(larger_scales=["full"]).next_steps()["step"].tolist()


def test_what_has_begun_at_the_larger_scale_is_to_be_finished(confirmed, at_full) -> None:
    at_full((1.30, 1.45))
    step = confirmed(larger_scales=["full"], confirm_scale="full").next_steps().iloc[0]
    assert step["step"] == "finish" and step["runs"] == 3 and "night-at-full" in step["why"]
    assert step["command"].endswith("night") or "--confirm-scale" not in step["command"]


def test_of_the_larger_campaign_no_trials_are_to_be_added(at_full) -> None:
    steps = at_full((1.30, 1.45, 1.35, 1.40, 1.6)).next_steps()["step"].tolist()
    assert steps == ["confirm"]


def test_the_larger_scale_is_said_to_take_other_time_than_runs_on_a_cpu(confirmed) -> None:
    campaign = confirmed(larger_scales=["full"])
    asked = "(--dry-run with the command says how long it takes here, and which data it reads)"
    for device, said in (("cpu, 1 core", True), ("NVIDIA H200", False)):
        other = replace(campaign, rows=campaign.rows.assign(device=device))
        (why,) = (row["why"] for row in other.next_steps().to_dict("records") if row["step"] == "carry over")
        assert why.endswith(asked) and ("ran on a CPU, and a larger scale may need a GPU" in why) is said
