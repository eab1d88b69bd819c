"""nGPT: twenty rounds on a form of nGPT of its own."""
