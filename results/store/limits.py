"""Limits of what a campaign's files may hold, looked at before or while they are decoded.

A folder may come from anywhere, and a small file can say that it is a large one. A real campaign is far below each
limit: the largest kept here has 142 trials of 3 KB. A message names the limit that a file exceeds.
"""

from __future__ import annotations

MIB = 2**20

CAMPAIGN_BYTES = 16 * MIB  # of campaign.json: a prior of thousands of points makes it large
DEPTH = 32  # of lists and objects in each other, in any JSON; a config has 6
JSON_TEXT = 100_000  # characters of a text in campaign.json
LARGEST_NUMBER = 1e100  # of any number: its square, and sums of squares, are finite

FILE_BYTES = 64 * MIB  # of a Parquet file of one trial, and of rows.log
DECODED_BYTES = 256 * MIB  # of all rows of a dataset, decoded
WRITTEN_BYTES = 224 * MIB  # of them when they are written: in another folder their paths may be longer
PART_BYTES = 320 * MIB  # of a Parquet file of many trials, which may have all rows: what nothing compresses, and more
TEXT = 1_000_000  # characters in a cell
TEXT_BYTES = 4 * TEXT  # of them in UTF-8
SHORT_TEXT = 1_000  # in a cell that holds a name
TRIALS = 50_000  # rows of a campaign's trials
REPORTS = 500_000  # rows of its reports
REPORTS_OF_A_TRIAL = 100_000
CURVE_ROWS = 20_000_000  # rows of its curves: a point of a curve has one for each name
CURVE_ROWS_OF_A_TRIAL = 100_000
CURVE_BYTES = 1024 * MIB  # of all of them, decoded
CURVE_NAMES = 1_000  # in a trial's curve: one for each head of each layer, among others
CURVE_NAME = 200  # characters of one
MOST_COUNTED = 1_000_000  # numbers of trials, which may have gaps, attempts at one and rounds of confirmation
ROW_GROUPS = 10_000  # in a Parquet file
MOST_KNOBS = 1_000  # that a campaign searches
