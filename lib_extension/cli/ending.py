"""What is said when a run has come to an end: where its pictures are, what it waits for, how to go on."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib_extension.cli import exit_codes
from lib_extension.cli.options import again
from lib_extension.cli.screen import say_json
from lib_extension.runs.records import Run
from lib_extension.session.reviews import Review
from lib_extension.session.session import Session
from lib_extension.session.told import node_told, review_told, run_told


def end(session: Session, run: Run, folder: Path, options: argparse.Namespace) -> int:
    """Wait until the run's folder is complete, tell how it ended, and give the exit status."""
    files = session.delivered(run.id)
    run = session.ledger.runs.get(run.id)  # which may have gone on, where a stored picture was found damaged
    reviews = session.reviews(run.id) if run.state == "waiting" else []
    if options.json:
        told = run_told(run) | {"folder": str(folder), "files": files, "reviews": [review_told(review) for review in reviews]}
        say_json(told | {"stages": [node_told(node) for node in session.ledger.nodes(run.id)]})
        return exit_codes.of_run(run)
    print(f"{len(files)} files are in {folder}")
    into = session.class_orders.into(run.id)
    if into is not None and run.state in ("done", "failed"):
        print(f"The class pictures and their captions are in {into}")
    if run.state == "waiting":
        for review in reviews:
            _say_review(session, run, review, options)
    elif run.state in ("failed", "cancelled", "paused"):
        print(
            f"The run {run.id} is {run.state}{f': {run.message}' if run.message else ''}. Go on with it: {again(options, 'resume', run.id)}"
        )
    return exit_codes.of_run(run)


def _say_review(session: Session, run: Run, review: Review, options: argparse.Namespace) -> None:
    """A choice that is waited for, with the files to look at and the command that makes it."""
    files = session.files_of(run)
    item = review.items[0] + 1
    told = ", ".join(f"{name} {value}" for name, value in review.labels.items() if isinstance(value, (str, int, float)))
    whose = f" of item {item}{f' ({told:.120})' if told else ''}" if len(session.reviews(run.id)) > 1 else ""
    wanted = f"{review.keep} of " if review.keep else ""
    print(f"\n{review.stage}{whose} waits for a choice: {wanted}{len(review.candidates)} pictures")
    for number, candidate in enumerate(review.candidates, 1):
        overall = candidate.facts.get("overall")
        score = f"  score {overall:.2f}" if isinstance(overall, float) else ""
        print(f"  {number}: {files.get(candidate.blob, candidate.blob[:12])}{score}")
    words = ["choose", run.id, review.stage, "1", *(["--item", str(item)] if whose else [])]
    print(f"  such as: {again(options, *words)}")
