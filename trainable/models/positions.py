"""How a model tells a token's place: by a learned table (``learned``) or by turning queries and keys (``rope``)."""

LEARNED, ROPE = POSITIONS = ("learned", "rope")
