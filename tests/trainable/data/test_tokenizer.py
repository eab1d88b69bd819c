from __future__ import annotations

import builtins
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.text_bytes import text_bytes
from trainable.data import tokenizer, vocabulary_files
from trainable.data.tokenizer import Tokenizer

TEXT = "def area(width, height):\n    return width * height  # in square metres, naïve\n" * 20
BPE = tokenizer.train_tokenizer([TEXT], 300)


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_bytes_of_the_tokens_are_the_bytes_of_the_text(text: str) -> None:
    ids = BPE.encode_document(text)
    assert text_bytes(BPE, ids) == text.encode()
    counted = BPE.byte_counter().count(ids[:-1], ids[1:])
    assert counted.dtype == np.int64 and counted.sum() == len(text.encode())


def test_the_last_id_stands_before_every_document_and_for_no_bytes() -> None:
    assert (BPE.vocab_size, BPE.bos) == (300, 299)
    assert BPE.encode_document("width")[0] == 299
    assert BPE.byte_counter().base_bytes[299] == 0


def test_the_spelling_of_the_marker_in_a_text_is_text() -> None:
    ids = BPE.encode("a <|bos|> b")
    assert BPE.bos not in ids and text_bytes(BPE, ids) == b"a <|bos|> b"


def test_a_saved_tokenizer_is_the_same_when_loaded(tmp_path: Path) -> None:
    BPE.save(tmp_path / "tokenizer.json")
    assert Tokenizer.load(tmp_path / "tokenizer.json") == BPE
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer.json"]


def test_merges_make_the_text_shorter_than_its_bytes() -> None:
    assert len(BPE.encode(TEXT)) < len(TEXT.encode()) / 2


def test_a_text_too_small_for_the_vocabulary_says_what_it_can_have() -> None:
    with pytest.raises(ValueError, match=r"--set data\.vocab_size=262$"):
        tokenizer.train_tokenizer(["hello hello"], 1024)


@pytest.mark.parametrize(
    "content", ["", "{}", '{"format": "byte-level BPE 1", "pattern": "", "tokens_base64": ["AA=="]}', "[1]"]
)
def test_a_file_that_is_no_tokenizer_of_ours_is_one_error_that_names_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"tokenizer\.json"):
        Tokenizer.load(path)


def test_counting_tensors_gives_the_same_as_counting_arrays() -> None:
    ids = BPE.encode_document(TEXT).astype(np.int64)
    counter = BPE.byte_counter()
    counted = counter.count(torch.from_numpy(ids[:-1]), torch.from_numpy(ids[1:]))
    assert counted.dtype == torch.int64
    assert counted.tolist() == counter.count(ids[:-1], ids[1:]).tolist()


# --- the tokenizers of shard folders ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sentencepiece_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sentencepiece: Any = pytest.importorskip("sentencepiece")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT.splitlines()),
        model_writer=model,
        vocab_size=330,
        model_type="bpe",
        byte_fallback=True,
        split_digits=True,
        add_dummy_prefix=False,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    path = tmp_path_factory.mktemp("model") / "fineweb_330_bpe.model"
    path.write_bytes(model.getvalue())
    return path


@given(text=st.text(st.characters(exclude_characters="▁", exclude_categories=["Cs"])))
@settings(max_examples=200, deadline=None)
def test_bytes_of_sentencepiece_tokens_are_the_bytes_of_the_decoded_text(sentencepiece_model: Path, text: str) -> None:
    import sentencepiece

    model: Any = sentencepiece.SentencePieceProcessor(model_file=str(sentencepiece_model))
    ids = np.array([model.bos_id(), *model.encode("x" + text)])
    counter = vocabulary_files.sentencepiece_counter(sentencepiece_model)
    assert counter.count(ids[:-1], ids[1:]).sum() == len(model.decode(ids.tolist()).encode())


def test_a_space_is_counted_with_its_word_but_not_after_a_boundary(sentencepiece_model: Path) -> None:
    import sentencepiece

    model: Any = sentencepiece.SentencePieceProcessor(model_file=str(sentencepiece_model))
    counter = vocabulary_files.sentencepiece_counter(sentencepiece_model)
    word = next(i for i in range(counter.vocab_size) if model.id_to_piece(i) == "▁width")
    plain = model.piece_to_id("w")
    previous = np.array([plain, model.bos_id(), model.unk_id(), plain, plain])
    target = np.array([word, word, word, model.eos_id(), model.piece_to_id("<0x41>")])
    assert counter.count(previous, target).tolist() == [6, 5, 5, 0, 1]


def test_the_model_is_found_beside_the_shards_and_in_the_challenge_layout(
    sentencepiece_model: Path, tmp_path: Path
) -> None:
    folder, shared = tmp_path / "datasets" / "fineweb10B_sp330", tmp_path / "tokenizers"
    folder.mkdir(parents=True)
    shared.mkdir()
    (shared / "fineweb_330_bpe.model").write_bytes(sentencepiece_model.read_bytes())
    (shared / "fineweb_512_bpe.model").write_bytes(b"another")
    expected = vocabulary_files.sentencepiece_counter(sentencepiece_model).vocab_size
    assert vocabulary_files.byte_counter_of(folder).vocab_size == expected
    (folder / "own.model").write_bytes(sentencepiece_model.read_bytes())
    (shared / "fineweb_330_bpe.model").write_bytes(b"damaged")
    assert vocabulary_files.byte_counter_of(folder).vocab_size == expected


def test_a_choice_of_models_that_the_folder_does_not_decide_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.model").touch()
    (tmp_path / "b.model").touch()
    with pytest.raises(ValueError, match=r"several models \(a\.model, b\.model\)"):
        vocabulary_files.byte_counter_of(tmp_path)


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    pytest.importorskip("sentencepiece")
    (tmp_path / "a.model").write_bytes(b"not a model")
    with pytest.raises(ValueError, match=r"a\.model is not a SentencePiece model"):
        vocabulary_files.byte_counter_of(tmp_path)


def test_without_sentencepiece_the_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_module = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "sentencepiece":
            raise ImportError(name)
        return import_module(name, *args, **kwargs)

    (tmp_path / "a.model").touch()
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ValueError, match="pip install sentencepiece"):
        vocabulary_files.byte_counter_of(tmp_path)


def test_our_tokenizer_beside_the_shards_is_preferred(tmp_path: Path) -> None:
    BPE.save(tmp_path / "tokenizer.json")
    (tmp_path / "a.model").touch()
    assert vocabulary_files.byte_counter_of(tmp_path).base_bytes.tolist() == BPE.byte_counter().base_bytes.tolist()


def test_without_a_tokenizer_the_error_says_where_it_was_looked_for(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "datasets" / "mine"
    folder.mkdir(parents=True)
    with pytest.raises(ValueError, match="bits per byte needs the tokenizer") as error:
        vocabulary_files.byte_counter_of(folder)
    assert str(folder) in str(error.value) and str(tmp_path / "data" / "tokenizers") in str(error.value)


def test_a_tokenizer_of_another_library_that_is_none_of_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0", "model": {}}')
    with pytest.raises(ValueError, match=r"tokenizer\.json is no tokenizer\.json with a vocabulary of tokens by name"):
        vocabulary_files.byte_counter_of(tmp_path)


def _gpt2_alphabet() -> list[str]:
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) for b in printable] + [chr(256 + n) for n in range(256 - len(printable))]


def test_a_gpt2_vocabulary_counts_one_byte_a_character_and_none_for_the_end_of_text(tmp_path: Path) -> None:
    tokens = [*_gpt2_alphabet(), "Ġwidth", "Ã¯", "<|endoftext|>"]
    (tmp_path / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    counter = vocabulary_files.byte_counter_of(tmp_path)
    assert counter.base_bytes[-3:].tolist() == [6, 2, 0]  # " width", "ï" in UTF-8, the boundary
    assert counter.base_bytes[:256].tolist() == [1] * 256


@pytest.mark.parametrize("vocabulary", [{"a": 0, "b": 2}, {"##ing": 0, "naï ve": 1}, ["a"]])
def test_another_kind_of_vocab_json_is_refused(tmp_path: Path, vocabulary: object) -> None:
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    with pytest.raises(ValueError, match="is not a GPT-2 vocabulary"):
        vocabulary_files.byte_counter_of(tmp_path)


# --- pre-tokenizers ---------------------------------------------------------------------------------------------------

LINKS = "see https://a.example/x?y=1 now, or HTTP://b.example twice\n" * 30


def test_nothing_is_merged_across_the_borders_of_an_address() -> None:
    usual, apart = tokenizer.train_tokenizer([LINKS], 286), tokenizer.train_tokenizer([LINKS], 286, "url_isolated")
    for bpe, crosses in ((usual, True), (apart, False)):
        pieces = [bpe.tokens[i] for i in bpe.encode(LINKS)]
        assert any(piece.lower().startswith(b" http") for piece in pieces) is crosses
        assert b"".join(pieces) == LINKS.encode()


def test_an_address_is_cut_inside_as_any_text() -> None:
    pieces = tokenizer.set_apart("go to https://a.example/x, or Http://b", tokenizer.PRETOKENIZERS["url_isolated"])
    assert pieces == ["go to ", "https://a.example/x,", " or ", "Http://b"]
    assert tokenizer.set_apart("https://a.example", "") == ["https://a.example"]


def test_a_saved_pretokenizer_is_there_when_loaded(tmp_path: Path) -> None:
    apart = tokenizer.train_tokenizer([LINKS], 286, "url_isolated")
    apart.save(tmp_path / "tokenizer.json")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json")
    assert loaded == apart and loaded.encode(LINKS).tolist() == apart.encode(LINKS).tolist()
