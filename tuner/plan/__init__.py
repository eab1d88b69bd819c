"""Time, money and data of a campaign, told before any of it is spent (``--dry-run``)."""
