"""The attempts at one trial, each as an object of its own: what one of them writes late must reach no other."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.newest_checkpoint import newest
from trainable.worker import attempt
from trainable.worker.attempt import SIGN

KEY = "key"


def state(number: int) -> dict:
    return {"number": number, "tensor": torch.arange(6.0)}


def there(campaign: Path) -> set[str]:
    return {path.name for path in attempt.folder_of(campaign, KEY).iterdir()} - {SIGN}


def restored(found: attempt.Attempt) -> int | None:
    return (found.restore()[0] or {}).get("number")


def test_the_first_attempt_has_nothing_to_go_on_from_and_is_in_force(tmp_path) -> None:
    first = attempt.begin(tmp_path, KEY, 1)
    assert (first.number, first.names, newest(first), first.in_force()) == (1, [], None, True)
    assert first.restore() == (None, [])


def test_the_last_two_checkpoints_are_kept(tmp_path) -> None:
    first = attempt.begin(tmp_path, KEY, 1)
    for number in range(5):
        first.save(state(number))
    assert there(tmp_path) == {"a1-4.safetensors", "a1-5.safetensors"}
    assert attempt.checkpoints(tmp_path, KEY) == ["a1-5.safetensors", "a1-4.safetensors"]


def test_an_attempt_goes_on_from_the_newest_and_keeps_it_until_it_has_two_of_its_own(tmp_path) -> None:
    first = attempt.begin(tmp_path, KEY, 1)
    for number in range(12):
        first.save(state(number))
    second = attempt.begin(tmp_path, KEY, 2)
    assert restored(second) == 11 and newest(second).name == "a1-12.safetensors"
    second.save(state(20))
    assert there(tmp_path) == {"a2-1.safetensors", "a1-12.safetensors"}
    third = attempt.begin(tmp_path, KEY, 3)
    assert third.names == ["a2-1.safetensors", "a1-12.safetensors"] and restored(third) == 20
    third.save(state(30))
    third.save(state(31))
    assert there(tmp_path) == {"a3-1.safetensors", "a3-2.safetensors"}


def test_a_late_writer_reaches_no_later_attempt_and_leaves_nothing(tmp_path) -> None:
    """The first attempt is cut off after its second checkpoint, and goes on writing whatever it is told."""
    cut_off = attempt.begin(tmp_path, KEY, 1)
    cut_off.save(state(1))
    cut_off.save(state(2))
    second = attempt.begin(tmp_path, KEY, 2)
    assert not cut_off.in_force() and second.in_force()
    cut_off.save(state(99))
    assert restored(second) == 2
    second.save(state(3))
    cut_off.save(state(99))
    third = attempt.begin(tmp_path, KEY, 3)
    assert third.names[0] == "a2-1.safetensors" and restored(third) == 3
    assert not any(name.startswith("a1-") for name in set(there(tmp_path)) - set(third.names))
    cut_off.save(state(99))
    fourth = attempt.begin(tmp_path, KEY, 4)
    assert restored(fourth) == 3
    attempt.remove(tmp_path, KEY)
    assert not cut_off.in_force() and not fourth.in_force(), "the trial has ended"
    cut_off.save(state(99))
    assert attempt.checkpoints(tmp_path, KEY) == [] and restored(attempt.begin(tmp_path, KEY, 5)) is None
    assert there(tmp_path) == set()


def test_numbers_rise_also_where_a_start_was_never_written_down(tmp_path) -> None:
    assert [attempt.begin(tmp_path, KEY, 1).number for _ in range(3)] == [1, 2, 3]
    assert attempt.begin(tmp_path, KEY, 7).number == 7


@pytest.mark.parametrize("damage", [b"", b"nothing", slice(0, 200), 3], ids=["empty", "other", "cut", "one bit"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before_it(tmp_path, damage, first_difference) -> None:
    first = attempt.begin(tmp_path, KEY, 1)
    first.save(state(1))
    first.save(state(2))
    second = attempt.begin(tmp_path, KEY, 2)
    file = newest(second)
    whole = file.read_bytes()
    if isinstance(damage, int):
        file.write_bytes(whole[:-damage] + bytes([whole[-damage] ^ 1]) + whole[1 - damage :])
    else:
        file.write_bytes(whole[damage] if isinstance(damage, slice) else damage)
    found, wrong = second.restore()
    assert first_difference(state(1), found) is None and not file.exists()
    assert len(wrong) == 1 and str(file) in wrong[0]
    newest(second).write_bytes(b"")
    found, wrong = second.restore()
    assert found is None and len(wrong) == 1 and there(tmp_path) == set()


def test_a_checkpoint_that_is_gone_is_named(tmp_path) -> None:
    first = attempt.begin(tmp_path, KEY, 1)
    first.save(state(1))
    first.save(state(2))
    newest(first).unlink()
    found, wrong = first.restore()
    assert found["number"] == 1 and len(wrong) == 1 and "a1-2.safetensors cannot be read" in wrong[0]


@pytest.mark.parametrize("sign", [b"", b"{}", b"[1]", b'{"attempt": 1, "checkpoints": ["../../x"]}'])
def test_a_sign_that_is_none_lets_the_trial_begin_anew(tmp_path, sign) -> None:
    first = attempt.begin(tmp_path, KEY, 1)
    first.save(state(1))
    (first.folder / SIGN).write_bytes(sign)
    second = attempt.begin(tmp_path, KEY, 2)
    assert second.number == 2 and all("/" not in name for name in second.names)


@pytest.mark.parametrize(
    "written",
    [b"", b"[" * 50_000, b'{"attempt": Infinity, "checkpoints": []}', b'{"attempt": 1e300, "checkpoints": []}',
     b'{"attempt": -5, "checkpoints": []}', b'{"attempt": 2, "checkpoints": [["a1-1.safetensors"]]}', b"x" * 200_000],
    ids=range(7),
)  # fmt: skip
def test_a_sign_that_is_none_of_ours_is_no_sign(written, tmp_path) -> None:
    (tmp_path / "checkpoints" / KEY).mkdir(parents=True)
    (tmp_path / "checkpoints" / KEY / SIGN).write_bytes(written)
    assert attempt.checkpoints(tmp_path, KEY) == []
    assert attempt.begin(tmp_path, KEY, 1).number == 1
