from __future__ import annotations

from pathlib import Path

import pytest
import sentencepiece

from trainable.data.text_codec import codec_beside
from trainable.data.tokenizer import FILE_NAME, train_tokenizer

TEXT = "Der Schnee fällt: 雪が降る, 12 times! "


def test_our_own_vocabulary_gives_back_every_text(tmp_path) -> None:
    bpe = train_tokenizer([TEXT * 40], 270)
    bpe.save(tmp_path / FILE_NAME)
    codec = codec_beside(tmp_path)
    assert codec.is_whole and codec.unknown(TEXT + "\0🙂") == []
    assert codec.start == bpe.bos and codec.text([codec.start, *codec.ids(TEXT)]) == TEXT
    assert codec.text([0xFF]) == "\N{REPLACEMENT CHARACTER}"


def test_a_sentencepiece_model_does_too(tmp_path) -> None:
    (tmp_path / "text.txt").write_text("the snow falls and falls on every roof\n" * 40)
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "text.txt"), model_prefix=str(tmp_path / "m"), vocab_size=40, hard_vocab_limit=False,
        minloglevel=2,
    )  # fmt: skip
    codec = codec_beside(tmp_path)
    assert codec.start == 1 and codec.text([1, *codec.ids("the snow falls")]) == "the snow falls"
    assert not codec.is_whole and codec.unknown("the 学 snow! 学") == ["学", "!"]
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "text.txt"), model_prefix=str(tmp_path / "m"), vocab_size=300, hard_vocab_limit=False,
        minloglevel=2, byte_fallback=True,
    )  # fmt: skip
    whole = codec_beside(tmp_path)
    assert whole.is_whole and whole.unknown("the 学 snow! 学") == []


@pytest.mark.parametrize("there", ["vocab.json", "nothing"])
def test_a_vocabulary_without_rules_is_refused(there, tmp_path: Path) -> None:
    (tmp_path / there).write_text("{}")
    with pytest.raises(ValueError, match="not how text is cut into them"):
        codec_beside(tmp_path)
