"""mainrun: a contest on Hacker News titles, its baseline and the items of an optimization report."""
