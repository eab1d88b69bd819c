"""A user's own code in a campaign: imported files, train functions, programs."""
