"""``python -m tuner.trackers CAMPAIGN --log TRACKER``: send a campaign that has been run to a tracker, whole.

What the tracker has already is not sent again: so this is also how one that failed gets what it missed.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m tuner.trackers")

from collections.abc import Sequence

from results.named_campaigns import add_campaign, named_campaign
from results.store.campaign_folder import Store
from terminal.command_line import OneLineParser
from terminal.counted import counted
from terminal.exit_codes import DONE, FAILED
from tuner.cli.option_values import tracker
from tuner.trackers.catalogue import check_installed, check_once
from tuner.trackers.logging_to import describe_log, rows_to_send, sayer
from tuner.trackers.outbox import SEND_PROGRAM, Outbox

PATIENCE_SECONDS = 300.0  # without an answer: nothing else waits for it here


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    from terminal.console import Console

    parser = OneLineParser(
        prog=SEND_PROGRAM,
        description="Send a campaign to experiment trackers; what they have already is not sent again.",
        epilog="Exit codes: 0 sent, 1 not sent or in part, 2 bad input, 130 interrupted.",
    )
    add_campaign(parser)
    parser.add_argument(
        "--log", metavar="TRACKER", type=tracker, action="append", required=True, help="as for python -m tuner.run"
    )
    asked = parser.parse_args(arguments)
    console = Console()
    try:
        check_once(asked.log)
        check_installed(asked.log)
        store = Store.open(named_campaign(asked.campaign, asked))
        rows = list(rows_to_send(store.trials()))
        describe_log(console, asked.log, store.folder)
    except ValueError as error:
        return parser.refuse(error)
    code = DONE
    for each in asked.log:
        outbox = Outbox(each, store.folder, sayer(console, each), runs=False)
        try:
            for row, arm_number in rows:
                outbox.tell(row, None, arm_number)
            outbox.finish(DONE, PATIENCE_SECONDS)
        finally:
            outbox.leave()
        if outbox.lacking == 0:
            console.print(f"{each.name} has {counted(len(rows), 'run')} of {store.folder.name}")
        else:
            code = FAILED
    return code


if __name__ == "__main__":
    program.end(main())
