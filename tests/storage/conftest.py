"""The places that promise the same: a disk, memory (fsspec) and a bucket (pyarrow's S3, over HTTP)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from storage import files
from storage.location import Location, location


@pytest.fixture(params=["disk", "memory", "bucket"])
def folder(request, tmp_path) -> Iterator[Location]:
    if request.param == "disk":
        files.create_folder(tmp_path / "runs")
        return tmp_path / "runs"
    if request.param == "memory":
        return location(f"memory://{uuid.uuid4().hex}/runs")
    request.getfixturevalue("bucket")
    return location(f"s3://bucket/{uuid.uuid4().hex}/runs")
