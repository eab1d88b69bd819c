"""Types of the fields of ``campaign.json``: their ranges and lengths."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from results.store.limits import JSON_TEXT, LARGEST_NUMBER

Text = Annotated[str, Field(max_length=JSON_TEXT)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Texts = Annotated[list[Text], Field(max_length=10_000)]
Import = Annotated[str, Field(pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)*@[0-9a-f]{64}$", max_length=300)]
SeedNumber = Annotated[int, Field(ge=0, lt=2**63)]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]

Label = bool | int | Number | Text | None
