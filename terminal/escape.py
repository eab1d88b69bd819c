"""Escapes for what is no printable text: data from a file must not steer the terminal on which they are shown.

The written forms are those of a Python string: ``\\x1b``, ``\\n``, ``\\u202e``. Whatever else shows data from files, a
page or a CSV, needs the same function.
"""

from __future__ import annotations

import re

WORD, MESSAGE = 200, 2000  # characters of one word and of one message, beyond which they are shortened

# Unicode's Default_Ignorable_Code_Point and blank letters, of those that str.isprintable lets pass.
_INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
_SUSPECT = re.compile(rf"[^ -~]|[{_INVISIBLE}]")
_BACKSLASH = re.compile(rf"\\(?=[\\nrt]|x[0-9a-f]{{2}}|u[0-9a-f]{{4}}|U[0-9a-f]{{8}}|[^ -~]|[{_INVISIBLE}])")
_IS_INVISIBLE = re.compile(f"[{_INVISIBLE}]")


def escaped(text: str) -> str:
    """The text on one line, printable throughout, and reversible.

    Escaped are control characters (C0, C1, DEL), line and paragraph separators, spaces other than the plain one, format
    characters (bidirectional overrides, zero width), lone surrogates (bytes of a file name that are no UTF-8) and what
    is unassigned or invisible. A backslash is doubled where it would read as such an escape, and only there.
    """
    return visible(_BACKSLASH.sub(r"\\\\", text))


def visible(text: str, keep: str = "") -> str:
    """Escape text in which backslashes are escapes already: a message with ``repr`` in it. Idempotent.

    ``keep`` are characters that stay as they are.
    """
    return _SUSPECT.sub(lambda found: found[0] if found[0] in keep else _visible(found[0]), text)


def _visible(character: str) -> str:
    if character.isprintable() and not _IS_INVISIBLE.match(character):
        return character
    return character.encode("unicode_escape").decode("ascii")


def elided(text: str, limit: int = WORD) -> str:
    """The text, or where it has more than ``limit`` characters, its beginning and end and how many are left out."""
    if len(text) <= limit:
        return text
    kept = limit - 40
    left = f"... ({len(text) - kept:,} more characters) ..."
    return f"{text[: kept - kept // 4]}{left}{text[len(text) - kept // 4 :]}"


def one_line(message: str) -> str:
    """A message on one line, printable throughout, its overlong words shortened."""
    words = (elided(word) for word in message.split())
    return visible(elided(" ".join(words), MESSAGE))
