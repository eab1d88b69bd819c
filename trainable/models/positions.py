"""Position encodings of a model: a learned table (``learned``), or turned queries and keys (``rope``)."""

LEARNED, ROPE = POSITIONS = ("learned", "rope")
