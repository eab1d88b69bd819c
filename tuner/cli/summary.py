"""The end of a campaign: the leaderboard with its verdicts, the files, how to go on, and the exit code."""

from __future__ import annotations

from dataclasses import replace

from results.ending import print_ending
from results.replays.comparison import compare
from results.replays.side_by_side import print_comparison
from results.report import print_leaderboard, print_page
from results.store import frames
from results.winner_command import WinnerCommand
from storage.location import Location
from terminal.console import Console
from terminal.counted import counted
from terminal.exit_codes import DONE, FAILED
from terminal.program import INTERRUPTION, exit_code
from trainable.training import Training
from tuner.campaign.again import go_on
from tuner.campaign.endings import nothing_beside_base
from tuner.campaign.train_command import train_command
from tuner.campaign.unused_memory import give_back_unused
from tuner.confirm import Confirmation
from tuner.search_loop import Search

SHOWN = 20  # rows of a replay in the tables at its end; results.compare prints all


def conclude(console: Console, campaign: Search) -> int:
    """Print what was found, where it is and how to go on; returns the exit code."""
    give_back_unused()  # of the search, before its tables take as much anew
    results = frames.load(campaign.folder)
    console.print()
    print_leaderboard(console, results)
    if campaign.planned is not None:
        console.print()
        print_comparison(console, compare(results), SHOWN)
    if campaign.confirmation is not None:
        print_winner(console, campaign, campaign.confirmation)
    print_ending(console, results, campaign.folder, "carry over" if campaign.spec.confirm_scale else "")
    try_to_write_page(console, replace(results, campaign=campaign.ledger.store.campaign), campaign.folder)
    crashed = campaign.ledger.counts().get("crashed", 0)
    if crashed:
        where = f"the last line of each error is in trials.reason, all of it in {campaign.folder / 'errors'}"
        console.print(f"{counted(crashed, 'run')} crashed: {where}")
    unconfirmed = campaign.confirmation is not None and not campaign.confirmation.over
    left = len(campaign.ledger.unfinished()) or unconfirmed
    if campaign.stopping and (left or campaign.num_started < campaign.trials):
        console.print(f"ended early ({campaign.stopping}). {go_on(campaign.folder)}")
    if campaign.stopping == INTERRUPTION:
        return exit_code(campaign.signal)
    return FAILED if crashed else DONE


def try_to_write_page(console: Console, results: frames.Results, folder: Location) -> None:
    """Write the page of results into the folder; where that fails, say why: the search itself is done."""
    try:
        print_page(console, results, folder)
    except (ValueError, OSError) as error:
        console.print(f"The page of results is not written: {error}")


def print_winner(console: Console, campaign: Search, confirmation: Confirmation) -> None:
    """Print the winner, or what an ablation has left of it, as a command."""
    config = confirmation.found()
    if config is None:
        if confirmation.round is None and not campaign.stopping:
            console.print(f"Nothing to confirm: {nothing_beside_base(bool(campaign.ledger.completed()))}.")
        return
    line = command_for(campaign, config)
    if line is not None:
        seed = campaign.space.scale(str(campaign.ledger.campaign["scale"])).base.seed
        console.print(WinnerCommand(line, confirmation.minimal, seed).heading)
        console.print(f"  {line}")
        keep_command(console, campaign, confirmation, line)


def keep_command(console: Console, campaign: Search, confirmation: Confirmation, line: str) -> None:
    """Keep the command in campaign.json, so that the report has it also long after the run."""
    kept = {"arm": confirmation.winner, "minimal": confirmation.minimal, "line": line}
    if campaign.ledger.store.campaign.get("winner_command") == kept:
        return
    try:
        campaign.ledger.store.revise({"winner_command": kept})
    except OSError as error:
        console.print(f"The command is not kept with the results: {error}")


def command_for(campaign: Search, config: Training) -> str | None:
    """The command line that trains ``config`` of a campaign; None where none can say it."""
    return train_command(campaign.folder, campaign.sources, campaign.space, campaign.ledger.campaign, config)
