"""Bytes and strings that are taken as text: UTF-8 throughout, without NUL, and with no blank that no tokenizer can cut.

Nothing is decoded leniently, because bits per byte count the bytes of the text as it stands. A refusal names the place,
and what such a file most likely is.
"""

from __future__ import annotations

import codecs

# White space that ends no line: Unicode's White_Space, which is the \s of the tokenizers, without CR and LF.
_BLANK = "\t\v\f \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
# Characters. rustbpe and tiktoken cut text by the same backtracking expression, whose stack ends at 999,998 of them.
LONGEST_BLANK = 900_000
_LOOKED_AT = 4096  # bytes at the beginning, by which a file's likely kind is told

_UNPACK = "unpack it first"
_SIGNATURES = (
    (codecs.BOM_UTF16_LE, "UTF-16", "convert it first (iconv -f UTF-16 -t UTF-8)"),
    (codecs.BOM_UTF16_BE, "UTF-16", "convert it first (iconv -f UTF-16 -t UTF-8)"),
    (b"\x1f\x8b", "gzip", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "Zstandard", _UNPACK),
    (b"BZh", "bzip2", _UNPACK),
    (b"\xfd7zXZ\0", "xz", _UNPACK),
    (b"PK\x03\x04", "a zip archive", _UNPACK),
    (b"PAR1", "Parquet", "let its name end in .parquet"),
    (b"%PDF-", "PDF", "take the text out of it first (pdftotext)"),
)
_WIDE = (  # codes of several bytes a character, and which of those are NUL in Latin letters
    ("UTF-32LE", 4, (1, 2, 3)),
    ("UTF-32BE", 4, (0, 1, 2)),
    ("UTF-16LE", 2, (1,)),
    ("UTF-16BE", 2, (0,)),
)


def decode_text(data: bytes, where: str) -> str:
    """The text that bytes spell; a ValueError for bytes that are no text, with the position of the first (in bytes)."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = f"byte 0x{data[error.start]:02x} at position {error.start:,}"
        raise ValueError(f"{where} is not UTF-8 text: {at}{_likely(data)}") from error
    if (nul := data.find(b"\0")) >= 0:
        raise ValueError(f"{where} holds a NUL byte at position {nul:,}{_likely(data) or ': a binary file?'}")
    _check_blank(text, where)
    return text


def check(text: str, where: str) -> None:
    """Raise a ValueError for a string of a table or of JSON that is no text, with the position (in characters)."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        at = f"position {error.start:,}"
        raise ValueError(f"{where} holds half a surrogate pair at {at}, which is no text") from error
    if (nul := text.find("\0")) >= 0:
        likely = _likely(text[:_LOOKED_AT].encode()) or ": bytes that were no text?"
        raise ValueError(f"{where} holds a NUL character at position {nul:,}{likely}")
    _check_blank(text, where)


def _check_blank(text: str, where: str) -> None:
    """Raise a ValueError for more white space in a row than can be cut; a line's end is none of it."""
    for at in range(LONGEST_BLANK, len(text), LONGEST_BLANK):  # a longer blank covers one of these
        before, after = text[at - LONGEST_BLANK : at], text[at : at + LONGEST_BLANK]
        left = len(before) - len(before.rstrip(_BLANK))
        right = len(after) - len(after.lstrip(_BLANK))
        if right and left + right > LONGEST_BLANK:
            raise ValueError(
                f"{where} holds more than {LONGEST_BLANK:,} blanks in a row, from position {at - left:,}, which the "
                "tokenizer cannot cut: remove them"
            )


def _likely(data: bytes) -> str:
    """The end of a message: what a file that begins like this is, and what to do; empty where nothing tells."""
    for signature, kind, advice in _SIGNATURES:
        if data.startswith(signature):
            return f": it begins as {kind} does; {advice}"
    units = data[:_LOOKED_AT]
    for name, width, marks in _WIDE:
        zeros = [units[offset::width].count(0) / max(1, len(units[offset::width])) for offset in range(width)]
        if all((zeros[offset] > 0.5) if offset in marks else (zeros[offset] == 0) for offset in range(width)):
            return f": it looks like {name} without a mark; convert it first (iconv -f {name} -t UTF-8)"
    return ""
