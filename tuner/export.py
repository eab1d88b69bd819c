"""``python -m tuner.export CAMPAIGN``: what a competitor hands in, of the winner or of another trial with kept weights.

Writes a new folder: the weights, the config and the command that trains it, the small file that parameter golf judges,
the vocabulary, the log of losses, and the scores of the files as they are read again.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m tuner.export")

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from results.store.resume_command import EXPORT_PROGRAM
from results.targets import check_new_folder
from storage import inside
from storage.location import absolute, argument
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.exit_codes import DONE
from terminal.option_names import one_of
from terminal.option_numbers import whole_number
from trainable.evaluation.artifact import COMPRESSORS
from tuner.artifacts.as_program import as_program
from tuner.artifacts.author import GOLF, Author, author_of, check_names
from tuner.artifacts.options import add_trial_options, chosen_trial

if TYPE_CHECKING:
    from tuner.artifacts.export_folder import Exported
    from tuner.artifacts.kept_trial import KeptTrial

PROGRAM = EXPORT_PROGRAM


def main(arguments: Sequence[str] | None = None) -> int:
    """Export the trial that the command line names.

    Exit code 2 and one line where it has no weights or the folder cannot be used, 1 where a file cannot be written.
    """
    return as_program(_parser(), arguments, run, "not written")


def run(options: argparse.Namespace) -> int:
    """Do what the options ask for, and print what was found."""
    check_names(options.author, options.github_id, options.title, options.blurb)
    if options.to is not None:
        check_new_folder("--to", options.to)  # before the campaign is looked for
    trial = chosen_trial(options)
    import torch  # which a refusal need not wait for

    from tuner.artifacts.asked_measures import also_of_campaign, how_to_get_more
    from tuner.artifacts.export_folder import export
    from tuner.artifacts.kept_trial import why_this_one
    from tuner.artifacts.rescored import settings_of

    author = author_of(options.author, options.github_id, options.title, options.blurb, trial)
    folder = options.to or Path(f"{trial.folder.name}-trial-{trial.row['number']}")
    check_new_folder("--to", folder)
    settings = settings_of(trial.config, options.bits, options.compressor)
    console = Console(goes_on=True)
    torch.set_num_threads(1)  # as trials compute: sums in the same order
    if options.trial is None:
        console.print(f"No --trial was given: {why_this_one(trial.results, trial.row)}")
    where = str(folder) if options.to else f"{folder} in the current folder (--to FOLDER: elsewhere)"
    console.print(f"{trial.name}: to {where}; reading its weights and data ...")
    done = export(trial, folder, settings)
    small = done.packed
    console.print(
        f"artifact: {small.precision}, {small.settings.compressor}: {len(small.data):,} bytes and "
        f"{small.code_bytes:,} of source files, together artifact_bytes {small.total_bytes:,} of "
        f"{small.settings.limit_bytes:,}{also_of_campaign(trial)}; val_bpb {small.score.bpb!r} when read again"
    )
    for measure in done.measures:
        console.print(f"asked for: {measure.line}")
    for measure in done.beside:
        console.print(f"also measured: {measure.line}")
    if (more := how_to_get_more(trial)) is not None:
        console.print(more)
    if done.command is not None:
        console.print("Trains it once more:")
        console.print(f"  {done.command}")
    console.print(f"Exported to {absolute(folder)}: {', '.join(done.names)}")
    if author is not None:
        print_submission(console, trial, done, author)
    elif trial.row["space"] == GOLF:
        console.print(f"A folder for {GOLF}'s competition: add --author and --github-id")
    return DONE


def print_submission(console: Console, trial: KeptTrial, done: Exported, author: Author) -> None:
    """Write the folder that the competition takes, and print its rules with what was found of each."""
    from tuner.artifacts.submission import SUBMISSION, rules, submission

    found = submission(trial, done, author)
    for name, content in found.items():
        inside.write(done.folder, f"{SUBMISSION}/{name}", content)
    console.print(f"Submission in {done.folder / SUBMISSION}: {', '.join(found)}")
    code, small = len(found["train_gpt.py"]), done.packed
    console.print(
        f"It counts train_gpt.py, {code:,} bytes with all code compressed, in place of the source files: "
        f"{len(small.data) + code:,} bytes with the artifact"
    )
    for rule in rules(trial, done, code):
        console.print(f"  {rule.line}")


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog=PROGRAM,
        description="Write the kept weights of a trial, and all that is handed in with them, into a new folder.",
        epilog="Exit codes: 0 written, 1 not written, 2 bad input.",
    )
    add_trial_options(parser)
    parser.add_argument(
        "--to",
        type=argument,
        metavar="FOLDER",
        help="new or empty folder (default: CAMPAIGN-trial-N in the current folder)",
    )
    parser.add_argument(
        "--bits",
        type=whole_number(4, 8),
        metavar="N",
        help="bits of the artifact's matrices (default: the config's, or 8)",
    )
    parser.add_argument(
        "--compressor",
        type=partial(one_of, COMPRESSORS),
        metavar="NAME",
        help="zlib, zstd, lzma or brotli (default: the config's, or zlib)",
    )
    golf = parser.add_argument_group("a submission to parameter golf")
    golf.add_argument("--author", metavar="NAME", help="your name, as submission.json has it")
    golf.add_argument("--github-id", metavar="LOGIN", help="your name on GitHub")
    golf.add_argument("--title", metavar="TEXT", help="name of the submission (default: the campaign and the trial)")
    golf.add_argument("--blurb", metavar="TEXT", help="a sentence about it (default: what differs from the base)")
    return parser


if __name__ == "__main__":
    program.end(main())
