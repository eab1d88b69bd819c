"""The name of a place: a path of this machine, or the URL of a folder or file in an object store.

A URL holds no secret: credentials and endpoints come from the environment (``AWS_*``, ``GOOGLE_*``, ``AZURE_*``), so
that what a campaign writes down and prints of its folder can be given away.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


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
    """The place that a text names. A ValueError for a URL with credentials or a query, which it does not repeat."""
    if not _SCHEME.match(text):
        return Path(text)
    parts = urlsplit(text)
    if parts.scheme == "file":
        return Path(parts.path)
    if ":" in parts.netloc.rpartition("@")[0] or "?" in text or "#" in text:
        raise ValueError(
            f"a {parts.scheme}:// URL must hold no credentials and no query: they would be written down with the "
            "results; give them in the environment"
        )
    if not parts.netloc:
        raise ValueError(f"{text!r} names no bucket: it must be as {parts.scheme}://BUCKET/FOLDER")
    if any(part in (".", "..") for part in parts.path.split("/")):
        raise ValueError(f"{text!r} must not hold '.' or '..'")
    return Url(f"{parts.scheme}://{parts.netloc}{re.sub('/+', '/', parts.path).rstrip('/')}")


def argument(text: str) -> Location:
    """The type of an option that names a place."""
    try:
        return location(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def absolute(place: Location) -> str:
    """A text that names the place from any folder, and in any process."""
    return str(place.resolve() if isinstance(place, Path) else place)
