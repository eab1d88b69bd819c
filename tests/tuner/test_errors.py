from __future__ import annotations

import pytest

from tuner.failures import LONGEST_TEXT, reason_of, without_middle

CUDA = "ray::RayTrainable.train()\n  File 'train.py'\ntorch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB.\n"
CPU = "RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.\n"
NUMPY = "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 9 GiB for an array\n"
RAISED = "ray::RayTrainable.train()\n  File 'train.py'\n"


@pytest.mark.parametrize("error", [CUDA, CPU, NUMPY, "Traceback\nMemoryError\n"])
def test_memory_that_ran_out_is_said_first(error) -> None:
    assert reason_of(error) == f"out of memory: {error.splitlines()[-1]}"


def test_the_reason_is_the_last_line_of_the_error_and_not_too_long() -> None:
    assert reason_of("Traceback\n  in train\nValueError: no\n\n") == "ValueError: no"
    assert len(reason_of("x" * 600)) <= 500 and "100 or more characters are left out" in reason_of("x" * 600)
    assert reason_of("") == "died without an error message"
    assert reason_of("ValueError: MemoryError is what it says\n").startswith("ValueError")


def test_a_text_that_is_too_long_is_kept_without_its_middle() -> None:
    assert without_middle("x" * LONGEST_TEXT) == "x" * LONGEST_TEXT
    kept = without_middle("begin" + "x" * 2 * LONGEST_TEXT + "end")
    assert kept.startswith("begin") and kept.endswith("end") and len(kept) <= LONGEST_TEXT
    assert "1,000,008 or more characters are left out" in kept


def test_the_file_of_an_error_is_limited_and_the_row_has_its_last_line(bench) -> None:
    search = bench.search()
    search.start(key := search.next().key)
    search.die(key, f"{RAISED}{'x' * 3 * LONGEST_TEXT}\nValueError: no\n")
    assert (bench.folder / "errors" / f"{key}.txt").stat().st_size <= LONGEST_TEXT
    assert bench.rows()[0]["reason"] == "ValueError: no"


def test_the_sampler_learns_to_avoid_what_does_not_fit_and_not_what_raised(bench) -> None:
    search = bench.search(trials=4, slots=4)
    base, *keys = [search.next().key for _ in range(4)]  # the base goes on: its crash would end the search
    numbers = [search.live[key].optuna_number for key in keys]
    for key in (base, *keys):
        search.start(key)
    search.die(keys[0], CUDA)
    search.die(keys[1], f"{RAISED}ValueError: no\n")
    states = [search.proposals.sampler.study.trials[number].state.name for number in numbers]
    assert states[:2] == ["PRUNED", "FAIL"]
    search.die(keys[2], f"{RAISED}ValueError: other\n")
    again = bench.search(trials=5)  # a resume tells it the same
    told = zip((row for row in bench.rows() if not row["is_base"]), again.proposals.sampler.study.trials, strict=True)
    assert [t.state.name for row, t in told if row["status"] == "crashed"] == ["PRUNED", "FAIL", "FAIL"]
