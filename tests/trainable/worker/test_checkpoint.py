from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from trainable.worker import checkpoint

STATE = {
    "network": [torch.arange(6.0).view(2, 3), torch.zeros(0), torch.tensor(3.0)],
    "hooks": {"A": {"history": [1, 2.5, "text", None, True], "nested": {"half": torch.ones(2, dtype=torch.bfloat16)}}},
    "tensor": {"dict": {"tensor": "a state may use these words itself"}},
    "generator": torch.Generator().manual_seed(3).get_state(),
    "loss_sum": torch.tensor(0.1 + 0.2, dtype=torch.float64),
    "position": 2**53 + 1,
    "seconds": 0.1 + 0.2,
    "empty": {},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    checkpoint.save(tmp_path, "trials/checkpoint", STATE, "key")
    return tmp_path / "trials" / "checkpoint"


def test_a_state_comes_back_exactly(file, first_difference):
    assert first_difference(STATE, checkpoint.load(file, "key")) is None


def test_a_save_that_fails_leaves_the_last_checkpoint_and_nothing_else(file, monkeypatch, first_difference):
    def full(*args, **kwargs) -> None:
        Path(args[1]).write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(OSError, match="no space"):
        checkpoint.save(file.parent, file.name, {}, "key")
    assert [p.name for p in file.parent.iterdir()] == ["checkpoint"]
    assert first_difference(STATE, checkpoint.load(file, "key")) is None


def test_tensors_that_share_memory_are_both_kept(tmp_path, first_difference):
    table = torch.arange(4.0)
    state = {"a": table, "b": table, "c": table.view(2, 2).mT}
    checkpoint.save(tmp_path, "c", state, "key")
    assert first_difference(state, checkpoint.load(tmp_path / "c", "key")) is None


def test_the_file_holds_no_pickle(file):
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    assert json.loads(data[8 : 8 + length])["__metadata__"]["key"] == "key"
    assert b"PK\x03\x04" not in data[:8] and not data.startswith(b"\x80")


def test_a_state_that_is_no_plain_data_is_refused_when_it_is_written(tmp_path):
    with pytest.raises(AssertionError, match="/hooks/A is no plain data: <class 'set'>"):
        checkpoint.save(tmp_path, "c", {"hooks": {"A": {1}}}, "key")


def test_a_checkpoint_of_another_trial_is_refused(file):
    with pytest.raises(ValueError, match="belongs to trial 'key', not to 'other'") as error:
        checkpoint.load(file, "other")
    assert str(file) in str(error.value)


def test_a_checkpoint_of_another_version_is_refused(file, monkeypatch):
    monkeypatch.setattr(checkpoint, "VERSION", 5)
    with pytest.raises(ValueError, match="has version '4' but must have 5") as error:
        checkpoint.load(file, "key")
    assert str(file) in str(error.value)


def test_a_file_of_tensors_that_is_no_checkpoint_is_refused(tmp_path):
    save_file({"a": torch.ones(2)}, tmp_path / "c")
    with pytest.raises(ValueError, match="has version None"):
        checkpoint.load(tmp_path / "c", "key")


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(ValueError, match="cannot be read") as error:
            checkpoint.load(path, "key")
        assert str(path) in str(error.value)


def test_a_file_cut_anywhere_is_one_error_that_names_it(file):
    whole = file.read_bytes()
    for size in [*range(0, 64), *range(64, len(whole), 97), len(whole) - 1]:
        file.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="checkpoint ") as error:
            checkpoint.load(file, "key")
        assert str(file) in str(error.value), size


def test_a_byte_changed_anywhere_is_one_error_that_names_it(file, first_difference):
    whole = file.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    assert len(load_file(file)) == 6
    for place in [*range(0, header, 7), *range(header, len(whole), 31), len(whole) - 1]:
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match="checkpoint ") as error:
            checkpoint.load(file, "key")
        assert str(file) in str(error.value), place
