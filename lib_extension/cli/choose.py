"""`choose RUN STAGE PICTURES…`: decide a review; the run goes on with what was chosen when it is resumed."""

from __future__ import annotations

import argparse

from lib_extension.cli import exit_codes
from lib_extension.cli.command import Command
from lib_extension.cli.options import add_home, again, opened_for
from lib_extension.cli.screen import say_json
from lib_extension.session.told import review_told


def _add_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="its id, or latest")
    parser.add_argument("stage", metavar="STAGE", help="the review's id in the recipe")
    parser.add_argument("pictures", metavar="PICTURE", nargs="+", help="their numbers, from 1, or hashes")
    parser.add_argument("--item", type=int, metavar="N", help="of which item, from 1, where several wait")
    add_home(parser)


def _carry_out(options: argparse.Namespace) -> int:
    with opened_for(options, options.run) as (session, run):
        session.choose(run.id, options.stage, options.pictures, options.item)
        left = session.reviews(run.id)
    if options.json:
        say_json({"run": run.id, "reviews": [review_told(review) for review in left]})
    elif left:
        waiting = ", ".join(f"{review.stage} of item {review.items[0] + 1}" for review in left)
        print(f"Chosen. These wait, too: {waiting}. The rest can go on: {again(options, 'resume', run.id)}")
    else:
        print(f"Chosen. Go on: {again(options, 'resume', run.id)}")
    return exit_codes.DONE


COMMAND = Command("choose", "decide a review, or decide it anew", _add_words, _carry_out)
