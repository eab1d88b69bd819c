from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainable.data import shards


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "text_train_000000.bin"
    shards.write(path, np.arange(100))
    return path


def _change_header(path: Path, index: int, value: int) -> None:
    data = bytearray(path.read_bytes())
    data[4 * index : 4 * index + 4] = np.array([value], dtype="<i4").tobytes()
    path.write_bytes(data)


def test_the_layout_is_256_int32_and_then_uint16(shard: Path) -> None:
    header = np.frombuffer(shard.read_bytes()[:1024], dtype="<i4")
    assert header[:3].tolist() == [20240520, 1, 100] and not header[3:].any()
    assert np.frombuffer(shard.read_bytes()[1024:], dtype="<u2").tolist() == list(range(100))


def test_tokens_come_back_as_they_were_written(tmp_path: Path) -> None:
    tokens = np.array([0, 1, 65535, 7])
    shards.write(tmp_path / "a.bin", tokens)
    assert shards.read(tmp_path / "a.bin").tolist() == tokens.tolist()
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.parametrize(
    ("index", "value", "says"),
    [
        (0, 20240521, "starts with the number 20240521 but a token shard starts with 20240520"),
        (1, 2, "is a token shard of version 2"),
        (2, 101, "holds 1,224 bytes but its header says 101 tokens, which is 1,226 bytes: the file is cut short"),
        (2, 99, "its header says 99 tokens, which is 1,222 bytes: the file is too long"),
        (2, 0, "says in its header that it holds 0 tokens"),
        (2, -5, "says in its header that it holds -5 tokens"),
    ],
)
def test_a_header_that_is_wrong_is_one_clear_error(shard: Path, index: int, value: int, says: str) -> None:
    _change_header(shard, index, value)
    with pytest.raises(ValueError, match=says) as error:
        shards.read(shard)
    assert str(shard) in str(error.value)


@pytest.mark.parametrize(
    ("size", "says"), [(1223, "the file is cut short"), (1024, "cut short"), (1000, "header"), (0, "holds 0 bytes")]
)
def test_a_truncated_shard_is_one_clear_error(shard: Path, size: int, says: str) -> None:
    shard.write_bytes(shard.read_bytes()[:size])
    with pytest.raises(ValueError, match=says) as error:
        shards.read(shard)
    assert str(shard) in str(error.value)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no token shard .*x\.bin"):
        shards.read(tmp_path / "x.bin")


def test_shards_are_found_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        shards.write(tmp_path / f"fineweb_train_{number:06d}.bin", np.arange(3))
    shards.write(tmp_path / "fineweb_val_000000.bin", np.arange(3))
    assert [path.name[-6:-4] for path in shards.shard_files(tmp_path, "train")] == ["01", "02", "10"]
    assert [path.name for path in shards.shard_files(tmp_path, "val")] == ["fineweb_val_000000.bin"]


def test_a_digest_sees_a_changed_token_and_in_a_sampled_file_a_changed_end(
    shard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shards.digest(shard)
    changed = tmp_path / "changed.bin"
    changed.write_bytes(shard.read_bytes()[:-1] + b"\x01")
    assert shards.digest(changed) != before
    monkeypatch.setattr(shards, "WHOLE_DIGEST_BYTES", 64)
    monkeypatch.setattr(shards, "SAMPLE_BYTES", 4)
    assert shards.digest(changed) != shards.digest(shard)
