"""A user's own text in tiktoken's vocabularies and in a tokenizer.json; and folders of texts, mixed by document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiktoken
import tokenizers

from tests.hub_server import smollm_tokenizer
from trainable.data import own_vocabulary, shards
from trainable.data.dataset import DataConfig
from trainable.data.preparation import check_source, known_vocab_size, prepare, prepared
from trainable.data.text import source_at
from trainable.data.text_codec import codec_beside

RANKS = {bytes([b]): b for b in range(256)} | {b"th": 256, b"the": 257}
TEXTS = ["the naïve cat\n" * 9, "the end 12\n" * 7, "they go\n" * 11]


def made_up(name: str, gap: int) -> tiktoken.Encoding:
    """An encoding of tiktoken's form; ids between the merges and the special tokens may belong to nothing."""
    special = {"<|endoftext|>": 258 + gap}
    pattern = r"\p{L}+|\s|[^\s\p{L}]+"
    return tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=RANKS, special_tokens=special)


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, tiktoken.Encoding]]:
    made = {"gpt2": made_up("gpt2", 0), "cl100k_base": made_up("cl100k_base", 2)}
    monkeypatch.setattr(tiktoken, "get_encoding", made.__getitem__)
    yield made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "cache"))
    place = tmp_path / "texts"
    place.mkdir()
    for number in range(12):
        (place / f"{number:02d}.txt").write_text(TEXTS[number % 3] + f"number {number}\n")
    return place


@pytest.mark.parametrize("name", ["gpt2", "cl100k_base"])
def test_text_is_in_tiktokens_tokens_with_the_end_of_text_before_each_document(
    encodings, folder: Path, name: str
) -> None:
    config = DataConfig(source=str(folder), tokenizer=name)
    dataset = prepare(config)
    library = encodings[name]
    end = library.eot_token
    held = source_at(folder)
    texts = [document.text for document in held.documents() if not document.held_out]
    expected = [i for text in texts for i in (end, *library.encode_ordinary(text))]
    assert dataset.train.take(0, dataset.train.total_tokens).tolist() == expected
    assert dataset.vocab_size == library.n_vocab == end + 1
    stream = dataset.train.take(0, dataset.train.total_tokens)
    assert dataset.bytes_of.count(stream[:-1], stream[1:]).sum() == len("".join(texts).encode())
    codec = codec_beside(dataset.train.paths[0].parent)
    assert codec.start == end and codec.text(codec.ids("the naïve\n")) == "the naïve\n"
    opened = prepared(config)
    assert opened is not None and opened.fingerprint == dataset.fingerprint
    assert known_vocab_size(config) == own_vocabulary.SIZES[name]


def test_a_vocabulary_beyond_sixteen_bits_has_wide_shards(tmp_path: Path) -> None:
    tokens = np.array([0, 70_000, 100_276, 3], dtype=shards.dtype_of(100_277))
    shards.write(tmp_path / "a_train_0.bin", tokens)
    found = shards.read(tmp_path / "a_train_0.bin")
    assert found.dtype == np.uint32 and found.tolist() == tokens.tolist()
    header = np.fromfile(tmp_path / "a_train_0.bin", dtype="<i4", count=3)
    assert header.tolist() == [20240801, 7, 4]  # llm.c's, for the vocabulary of Llama 3
    data = (tmp_path / "a_train_0.bin").read_bytes()
    (tmp_path / "a_train_0.bin").write_bytes(data[:-2])
    with pytest.raises(ValueError, match="cut short"):
        shards.read(tmp_path / "a_train_0.bin")
    assert shards.dtype_of(65_536) is np.uint16 and shards.dtype_of(65_537) is np.uint32


def test_text_is_in_the_tokens_of_a_users_own_tokenizer_json(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(smollm_tokenizer())
    config = DataConfig(source=str(folder), tokenizer=str(path))
    dataset = prepare(config)
    library = tokenizers.Tokenizer.from_file(str(path))
    texts = [document.text for document in source_at(folder).documents() if not document.held_out]
    expected = [i for text in texts for i in (library.token_to_id("<|endoftext|>"), *library.encode(text).ids)]
    stream = dataset.train.take(0, dataset.train.total_tokens)
    assert stream.tolist() == expected
    assert dataset.bytes_of.count(stream[:-1], stream[1:]).sum() == len("".join(texts).encode())
    assert known_vocab_size(config) == dataset.vocab_size == library.get_vocab_size()


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ('"type":"ByteLevel"', "is not byte-level"),
        ('"normalizer":null', "has a normalizer, which changes the text"),
        ('"<|im_end|>":2', "its ids are not 0, 1, 2"),
        ("{", "cannot be read as JSON"),
    ],
)
def test_a_tokenizer_json_whose_tokens_bytes_cannot_be_told_is_refused(folder, tmp_path, change, wrong) -> None:
    new = {'"type":"ByteLevel"': '"type":"Metaspace"', '"normalizer":null': '"normalizer":{"type":"Lowercase"}'}
    new |= {'"<|im_end|>":2': '"<|im_end|>":7000', "{": "{{"}
    path, text = tmp_path / "mine.json", smollm_tokenizer().decode()
    assert change in text
    path.write_text(
        text.replace(change, new[change]).replace('"id":2,', '"id":7000,' if "7000" in new[change] else '"id":2,')
    )
    with pytest.raises(ValueError, match=wrong) as error:
        check_source(DataConfig(source=str(folder), tokenizer=str(path)))
    assert "mine.json" in str(error.value)


def test_a_normaliser_of_no_steps_changes_no_text(tmp_path: Path) -> None:
    path, text = tmp_path / "mine.json", smollm_tokenizer().decode()
    path.write_text(text.replace('"normalizer":null', '"normalizer":{"type":"Sequence","normalizers":[]}'))
    own_vocabulary.check(str(path))


def test_a_vocabulary_that_is_none_or_has_no_text_is_refused_with_the_nearest_name(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"data.tokenizer is 'gpt3', which is neither .*did you mean 'gpt2'"):
        check_source(DataConfig(source=str(folder), tokenizer="gpt3"))
    with pytest.raises(ValueError, match=r"data.tokenizer is 'gpt3', which is neither .*did you mean 'gpt2'"):
        known_vocab_size(DataConfig(source=str(folder), tokenizer="gpt3"))  # asked first of all by a plan
    for source in ("nanochat", "fineweb10B_gpt2"):
        with pytest.raises(ValueError, match=f"'gpt2', but {source} has a vocabulary of its own: leave data.token"):
            check_source(DataConfig(source=source, tokenizer="gpt2"))
    with pytest.raises(ValueError, match="pretokenizer is 'url_isolated' but must be bytelevel where"):
        DataConfig(tokenizer="gpt2", pretokenizer="url_isolated")


def test_without_a_network_one_line_says_how_to_prepare_text_ahead(folder: Path, monkeypatch) -> None:
    def unreachable(name: str) -> tiktoken.Encoding:
        raise OSError("Connection refused\nand more")

    monkeypatch.setattr(tiktoken, "get_encoding", unreachable)
    with pytest.raises(ValueError, match=r"\(Connection refused\): .*prepare \S*texts --tokenizer gpt2`") as error:
        prepare(DataConfig(source=str(folder), tokenizer="gpt2"))
    assert "\n" not in str(error.value)
    check_source(DataConfig(source=str(folder), tokenizer="gpt2"))  # a plan only looks
    with pytest.raises(ValueError, match="could not download tiktoken's vocabulary gpt2"):
        check_source(DataConfig(source=str(folder), tokenizer="gpt2"), download_now=True)


def test_text_that_is_prepared_needs_no_vocabulary_from_the_network(folder: Path, encodings, monkeypatch) -> None:
    config = DataConfig(source=str(folder), tokenizer="gpt2")
    prepare(config)
    monkeypatch.setattr(tiktoken, "get_encoding", {}.__getitem__)
    assert check_source(config, download_now=True) == ""


def test_a_folder_of_plain_texts_is_read_mixed_by_document_and_one_of_tables_by_name(folder: Path) -> None:
    names = [file.name for file in source_at(folder).files]
    assert names != sorted(names) and sorted(names) == [f"{number:02d}.txt" for number in range(12)]
    assert names == [file.name for file in source_at(folder).files]
    (folder / "zz.jsonl").write_text('{"text": "a"}\n')
    names = [file.name for file in source_at(folder).files]
    assert names == sorted(names)
