"""The name of a place: a path of this machine, or the URL of a folder or file in an object store.

Every option, command and file that names a place goes through :func:`location`, so that a text means the same
everywhere: ``~`` and ``~user`` are homes, a URL has one of the known schemes, and what looks like a URL, a host or a
drive and is none is refused rather than made a folder of that name (``./`` before it says that it is one).

A URL holds no secret: credentials and endpoints come from the environment (``AWS_*``, ``GOOGLE_*``, ``AZURE_*``), so
that what a campaign writes down and prints of its folder can be given away.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

FILE = "file"
KINDS = {  # scheme -> what it reaches. All last, can be written to, and put a file whole or not at all.
    FILE: "this machine",
    "s3": "S3",
    "gs": "Google Cloud Storage",
    "gcs": "Google Cloud Storage",
    "abfs": "Azure",
    "abfss": "Azure",
    "az": "Azure, by the package adlfs",
    "oss": "Alibaba, by the package ossfs",
    "oci": "Oracle, by the package ocifs",
}
WITH_ACCOUNT = ("abfs", "abfss", "az")  # container@account, which is no secret
LONGEST_NAME = 255  # bytes of a part of a path: ext4, XFS, APFS, NFS
LONGEST_KEY = 1024  # bytes below a bucket, in all of these stores

_CHAINED = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*::")
_WITH_SCHEME = re.compile(r"([^/]*?)://(.*)", re.DOTALL)
_LIKE_ONE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):([/\\].*)", re.DOTALL)  # s3:/bucket, host:/folder
_DRIVE = re.compile(r"[A-Za-z]:|\\\\")
_IN_A_KEY = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=@:/-]*")  # what every reader of URLs takes as it stands
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, order=True)
class Url:
    """A folder or file of an object store, with what of ``pathlib.Path`` names need."""

    text: str  # without a slash at its end

    def __str__(self) -> str:
        return self.text

    def __truediv__(self, name: str) -> Url:
        return Url(f"{self.text}/{name}")

    @property
    def scheme(self) -> str:
        return self.text.partition("://")[0]

    @property
    def name(self) -> str:
        """The last part; empty for a bucket."""
        return self.text.partition("://")[2].partition("/")[2].rpartition("/")[2]

    @property
    def parent(self) -> Url:
        """The folder around it; a bucket is its own."""
        return Url(self.text.rpartition("/")[0]) if self.name else self

    def with_name(self, name: str) -> Url:
        return self.parent / name


Location = Path | Url


def location(text: str) -> Location:
    """The place that a text names; ``location(absolute(place))`` is the place again.

    A ValueError, one line, for a text that names none, and for a URL with credentials or a query, which it does not
    repeat.
    """
    _check_characters(text)
    if _CHAINED.match(text) and "://" in text:
        raise ValueError(f"{text.partition('::')[0]}:: puts one kind of storage over another: give the URL behind it")
    if found := _WITH_SCHEME.fullmatch(text):
        scheme = found[1].lower()
        if scheme not in KINDS:
            raise ValueError(f"{found[1]}:// is no place that lasts and can be written to: {_nearest(scheme)}")
        return _of_file_url(text, found[2]) if scheme == FILE else _of_store(scheme, found[2])
    _refuse_what_looks_like_a_url(text)
    return _local(_at_home(text))


def local(text: str) -> Path:
    """Return the path of something that must be on this machine, as data and pictures; a ValueError for a URL."""
    place = location(text)
    if not isinstance(place, Path):
        raise ValueError(f"{text!r} must be a path of this machine, not the URL of a store")
    return place


def is_path(text: str) -> bool:
    """Tell whether a text names a place by itself, rather than being the name of something in a known folder."""
    return "/" in text or "\\" in text or text.startswith("~") or text in (".", "..") or "::" in text


def argument(text: str) -> Location:
    """The type of an option that names a place."""
    try:
        return location(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def text_argument(text: str) -> str:
    """The type of an option whose text is a place, or a name in a folder that is not known yet: only the text is seen.

    It is returned as it was.
    """
    argument(text)
    return text


def local_argument(text: str) -> Path:
    """The type of an option that names a place of this machine."""
    try:
        return local(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def absolute(place: Location) -> str:
    """A text that names the place from any folder, and in any process; of a loop of links too, which nothing opens."""
    return os.path.realpath(place) if isinstance(place, Path) else str(place)


# --- URLs -------------------------------------------------------------------------------------------------------------


def _of_store(scheme: str, rest: str) -> Url:
    bucket, _, path = rest.partition("/")
    account = bucket.partition("@")[2] if scheme in WITH_ACCOUNT else ""
    name = bucket.partition("@")[0] if account else bucket
    if "@" in account or "@" in name or ":" in bucket or "?" in rest or "#" in rest:
        raise ValueError(
            f"a {scheme}:// URL must hold no credentials and no query, nor a port: they would be written down with the "
            "results; give them in the environment"
        )
    if not bucket:
        raise ValueError(f"'{scheme}://{rest}' names no bucket: it must be as {scheme}://BUCKET/FOLDER")
    if any(part in (".", "..") for part in path.split("/")):
        raise ValueError(f"'{scheme}://{rest}' must not hold '.' or '..'")
    if not _BUCKET.fullmatch(name) or (account and not _BUCKET.fullmatch(account)):
        rule = "a bucket's name begins with a letter or digit and holds only these, '.', '_' and '-'"
        raise ValueError(f"'{scheme}://{rest}' names no bucket: {rule}")
    if not _IN_A_KEY.fullmatch(path):
        wrong = path[len(_IN_A_KEY.match(path)[0])]  # type: ignore[index]  # it matches the empty text too
        raise ValueError(f"'{scheme}://{rest}' must not hold {wrong!r}: not every reader of URLs would find it again")
    if len(path) > LONGEST_KEY:
        raise ValueError(f"a {scheme}:// URL has {len(path):,} bytes below its bucket but at most {LONGEST_KEY:,} go")
    return Url(f"{scheme}://{bucket}{re.sub('/+', '/', f'/{path}').rstrip('/')}")


def _of_file_url(text: str, rest: str) -> Path:
    """The path of RFC 8089: of this host, percent-encoded."""
    host, slash, path = rest.partition("/")
    if not slash or host not in ("", "localhost"):
        raise ValueError(f"{text!r} names the host {host!r}: a path of this machine is as file:///FOLDER")
    if "?" in path or "#" in path:
        raise ValueError(f"{text!r} must hold no query: write a '?' of a name as %3F and a '#' as %23")
    if re.search(r"%(?![0-9A-Fa-f]{2})", path):
        raise ValueError(f"{text!r} has a '%' that is no percent-encoding: write one of a name as %25")
    decoded = os.fsdecode(unquote_to_bytes(f"/{path}"))
    _check_characters(decoded)
    return _local(decoded)


def _refuse_what_looks_like_a_url(text: str) -> None:
    if _DRIVE.match(text):
        raise ValueError(f"{text!r} is a path of Windows: this runs on Linux and macOS (./{text} is a name here)")
    scheme, colon, rest = text.partition(":")
    known = scheme.lower() in KINDS
    if colon and known:
        raise ValueError(f"{_shown(text)!r} is no URL: did you mean '{scheme.lower()}://{_bare(scheme, rest)}'?")
    if found := _LIKE_ONE.fullmatch(text):
        raise ValueError(
            f"{_shown(text)!r} looks like a URL or a host's folder and is none: {_nearest(found[1])} "
            "('./' before it makes it a name here)"
        )
    scheme, slashes, rest = text.partition("//")
    if slashes and scheme in KINDS:
        raise ValueError(f"{_shown(text)!r} is no URL: did you mean '{scheme}://{_bare(scheme, rest)}'?")


def _bare(scheme: str, rest: str) -> str:
    if _shown(rest) != rest:
        return "BUCKET/FOLDER"
    return f"/{rest.lstrip('/')}" if scheme.lower() == FILE else rest.lstrip("/")


def _shown(text: str) -> str:
    """The text, unless it may hold a secret."""
    return re.sub(r"[/:].*", "...", text, flags=re.DOTALL) if "@" in text or "?" in text else text


def _nearest(scheme: str) -> str:
    alike = [kind for kind in KINDS if kind[:1] == scheme.lower()[:1]]
    close = difflib.get_close_matches(scheme.lower(), alike, n=1, cutoff=0.5)
    return f"did you mean {close[0]}://?" if close else f"URLs begin with {':// '.join(KINDS)}://"


# --- paths ------------------------------------------------------------------------------------------------------------


def _check_characters(text: str) -> None:
    if not text:
        raise ValueError("'' names no place ('.' is the current folder)")
    for character in text:
        if ord(character) < 32 or ord(character) == 127:
            raise ValueError(f"{text!r} must not hold the control character {character!r}")
        if 0xD800 <= ord(character) < 0xE000:
            raise ValueError(f"{text!r} must be UTF-8: it has to be written down with the results")


def _at_home(text: str) -> str:
    """The text with ``~`` or ``~user`` replaced; a ValueError for a user that is not known here."""
    if not text.startswith("~"):
        return text
    expanded = os.path.expanduser(text)
    if expanded.startswith("~"):
        user = text[1:].partition("/")[0]
        unknown = f"there is no user {user!r} here" if user else "this user has no home: set HOME"
        raise ValueError(f"{text!r}: {unknown} (./{text} is a name here)")
    return expanded


def _local(text: str) -> Path:
    path = Path(text)
    for part in path.parts:
        if len(part.encode()) > LONGEST_NAME:
            raise ValueError(f"{text!r} has a name of {len(part.encode()):,} bytes but at most {LONGEST_NAME} go")
    longest = os.pathconf("/", "PC_PATH_MAX")
    if len(os.path.abspath(path).encode()) >= longest:
        raise ValueError(f"{text!r} is longer than the {longest:,} bytes that a path may have")
    # Its text must name it anywhere: to a reader that knows homes and URLs, and as the name of a campaign.
    if path.name in ("", ".."):
        return Path(os.path.realpath(path))
    first = path.parts[0]
    return path.absolute() if first.startswith("~") or ":" in first else path
