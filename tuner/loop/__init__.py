"""The parts of a search, one question each: what comes next, what is reused, what an end means, when to stop."""
