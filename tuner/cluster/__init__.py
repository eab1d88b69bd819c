"""Ray and the machines: what they offer, trials placed on them, and the processes watched and ended."""
