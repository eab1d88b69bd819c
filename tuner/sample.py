"""``python -m tuner.sample CAMPAIGN|EXPORT --prompt TEXT``: text written with kept weights, of a trial or exported."""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m tuner.sample")

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from results.named_campaigns import A_CAMPAIGN
from storage.location import Location
from terminal.command_line import OneLineParser
from terminal.complaint import complain
from terminal.console import Console
from terminal.exit_codes import DONE
from terminal.number import decimal
from terminal.option_numbers import at_least_one, whole_number
from tuner.artifacts.as_program import as_program
from tuner.artifacts.exported import codec_of, export_at, exported_folder, network_of
from tuner.artifacts.options import add_trial_options, chosen_trial

if TYPE_CHECKING:
    from trainable.data.text_codec import TextCodec
    from trainable.run import Run
    from trainable.weights import LoadedNetwork

PROGRAM = "python -m tuner.sample"
MOST_TOKENS = 100_000
HOTTEST = 100.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Write text with the weights that the command line names.

    Exit code 2 and one line where there are none or an option is out of range; 1 where they cannot be read.
    """
    return as_program(_parser(), arguments, run, "cannot be read")


def run(options: argparse.Namespace) -> int:
    """Do what the options ask for: print the prompt and what follows it."""
    from trainable.data import plain_text

    plain_text.check(options.prompt, "--prompt")
    folder = export_at(options.campaign, options.results)
    codec, vocab_size, load = of_trial(options) if folder is None else of_export(folder, options)
    if options.top_k is not None and options.top_k > vocab_size:
        raise ValueError(f"--top-k {options.top_k} is more than the {vocab_size:,} tokens of the vocabulary")
    from trainable.data.text_codec import check_known

    check_known(codec, options.prompt, "--prompt")
    prompt = ([] if codec.start is None else [codec.start]) + codec.ids(options.prompt)
    if not prompt:
        raise ValueError("--prompt is empty, and the vocabulary has no token that begins a document: give some text")
    import torch  # which a refusal need not wait for

    from trainable.sampling import drawn_tokens

    torch.set_num_threads(1)  # as trials compute: sums in the same order
    drawn = drawn_tokens(load(), prompt, options.tokens, options.temperature, options.top_k, options.seed)
    console = Console()
    for line in codec.text([*prompt, *drawn]).split("\n"):
        console.print(line)
    return DONE


WritesText = tuple["TextCodec", int, Callable[[], "Run | LoadedNetwork"]]  # vocabulary, its size, and the network


def of_trial(options: argparse.Namespace) -> WritesText:
    """The kept weights of a campaign's trial, and the vocabulary beside its data."""
    from trainable.data.text_codec import codec_beside
    from tuner.artifacts.kept_trial import why_this_one

    trial = chosen_trial(options)
    dataset = trial.dataset()

    def load() -> Run:
        from trainable.weights import read_weights, run_with

        if options.trial is None:  # beside the text, which goes to standard output
            complain(PROGRAM, f"no --trial was given: {why_this_one(trial.results, trial.row)}")
        return run_with(trial.config, read_weights(trial.file, trial.row["key"]), dataset, trial.runtime())

    return codec_beside(dataset.train.paths[0].parent), dataset.vocab_size, load


def of_export(folder: Location, options: argparse.Namespace) -> WritesText:
    """The weights and the vocabulary of an exported folder. A ValueError for options that are a campaign's."""
    of_campaigns = {"--trial": options.trial, "--data": options.data, "--trust-sources": options.trust_sources or None}
    if given := next((name for name, value in of_campaigns.items() if value is not None), None):
        raise ValueError(
            f"{given} has no effect on {folder}, which is an export: it is of one trial, and needs no data"
        )
    found = exported_folder(folder, vars(options)["import"] or ())
    return codec_of(found), found.vocab_size, lambda: network_of(found)


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog=PROGRAM,
        description="Write text with the kept weights of a trial, or of a folder that tuner.export has written.",
        epilog="Exit codes: 0 written, 1 not written, 2 bad input.",
    )
    add_trial_options(parser, f"{A_CAMPAIGN}; or a folder that tuner.export has written")
    parser.add_argument("--prompt", metavar="TEXT", default="", help="text to go on from (default: a document begins)")
    parser.add_argument(
        "--tokens", type=whole_number(1, MOST_TOKENS), default=100, metavar="N", help="tokens to write (default: 100)"
    )
    parser.add_argument(
        "--temperature",
        type=_temperature,
        default=0.8,
        metavar="T",
        help="divides the logits: below 1 likely tokens get likelier; 0 always takes the likeliest (default: 0.8)",
    )
    parser.add_argument("--top-k", type=at_least_one, metavar="K", help="draw from the K likeliest (default: from all)")
    parser.add_argument(
        "--seed", type=whole_number(0, 2**63 - 1, "0..2^63-1"), default=0, metavar="N", help="of the draws (default: 0)"
    )
    return parser


def _temperature(text: str) -> float:
    found = decimal(text)
    if found is None or not 0 <= found <= HOTTEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a temperature, a number in 0..{HOTTEST:g}")
    return found


if __name__ == "__main__":
    program.end(main())
