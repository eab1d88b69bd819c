"""Questions to a campaign, a file each: functions of what ``results.load`` and ``tuner.load`` give, to data frames."""
