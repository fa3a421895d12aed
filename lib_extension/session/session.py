"""What can be done with recipes and runs? One object that has ledger, pictures, recipes and backends, for whoever asks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from lib_extension.backend.backend import Backend
from lib_extension.backend.local_files import LocalFiles
from lib_extension.backend.parse import parse_backend
from lib_extension.backend.pool import Pool
from lib_extension.preflight import ModelFiles, PictureFacts, check
from lib_extension.runs.blobs import Blobs
from lib_extension.runs.delivery import Delivery
from lib_extension.runs.garbage import GRACE, Collected, collect
from lib_extension.runs.layout import Layout
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.outputs import Outputs
from lib_extension.runs.records import Run
from lib_extension.runs.runner import Runner
from lib_extension.runs.surroundings import inventories_of
from lib_extension.session.asked import Asked
from lib_extension.session.brief import Briefs
from lib_extension.session.class_orders import ClassOrders
from lib_extension.session.draft import Drafts, pictures_of
from lib_extension.session.editing import Editing
from lib_extension.session.gallery import Gallery
from lib_extension.session.home import Home
from lib_extension.session.opening import Opener
from lib_extension.session.outlook import InputFacts, Outlook, PreflightRefused, look_ahead
from lib_extension.session.plans import Plans
from lib_extension.session.recipes import Recipes
from lib_extension.session.restoring import Restorer
from lib_extension.session.reviews import Review, decided_reviews, find_review, open_reviews, places_of
from lib_extension.session.thumbnails import Thumbnails
from lib_extension.spec.errors import AtelierError, BadRequest, NotFound
from lib_extension.spec.inventory import FileKind

HELPER = "engine:none"  # an engine without a checkpoint: masks, maps and scores that need a network, where no backend makes them


class AtWork(AtelierError):
    """Not while the run is carried out."""

    status = 409


class Session:
    """Opened by a process, closed at its end. Several processes may have one home open at once."""

    def __init__(self, home: Home, backends: Sequence[Backend], models: Path | None = None, recipes: Recipes | None = None) -> None:
        """No backend is reached, and no engine started, before it is needed. models: a WebUI's models folder, which preflight reads.

        recipes: others than the home's and the built-in ones.
        """
        self.home = home
        self.models = models
        self.headers = ModelFiles(_folders(models) if models else {})
        self.recipes = recipes or Recipes(home.recipes)
        self.ledger = Ledger(home.ledger)
        self.blobs = Blobs(home.blobs)
        has_engine = any(backend.spec.startswith("engine:") for backend in backends)
        self.pool = Pool(backends, None if has_engine else parse_backend(HELPER), LocalFiles(models))
        self.runner = Runner(self.ledger, self.blobs, self.pool)
        self._picture_facts: dict[str, PictureFacts] = {}  # of pictures that go in: a plan is asked for at every edit
        self.restorer = Restorer(self.runner)
        self.editing = Editing(self.recipes, self.blobs)
        self.drafts = Drafts(home.draft, self.ledger.database, self.editing.is_changed)
        self.opener = Opener(self.restorer, self.editing, self.blobs)
        plans = Plans(self.runner)
        self.briefs = Briefs(self.runner, plans)
        self.gallery = Gallery(self.runner, plans)
        self.thumbnails = Thumbnails(home.thumbnails, self.blobs)
        self.class_orders = ClassOrders(home.class_pictures, self.runner)
        self._guard = threading.Lock()  # of the next
        self._deliveries: dict[str, Delivery] = {}
        self.is_private = False  # no file says how it was made, whichever run it is of
        self.on_start: Callable[[str], object] = str  # told of each run that is started or goes on here

    def close(self, at_once: bool = False) -> None:
        """Pause what runs here, when what is at work is done or `at_once`, bring what it made, and let go of everything."""
        self.briefs.close()
        self.runner.close(at_once)
        for run_id in list(self._deliveries):
            with suppress(AtelierError):  # whoever waited was told
                self.delivered(run_id)
        self.pool.close()
        self.ledger.close()

    def outlook(self, asked: Asked, fresh: bool = False) -> Outlook:
        """What the run would do and what is wrong with it; nothing is written down.

        By what backends had when they were last seen, or, if `fresh`, by what they have now.
        """
        recipe = asked.whole
        planned = self.runner.preview(recipe, asked.values, asked.pictures, asked.confirmed, fresh)
        inventories = inventories_of(self.ledger, self.pool)
        findings = check(planned.plan, inventories, recipe, self.headers, InputFacts(asked, self.blobs, self._picture_facts))
        return look_ahead(planned, recipe.name, self.ledger, findings)

    def add(self, asked: Asked, folder: str = "") -> tuple[str, Outlook]:
        """Write down a run, after preflight by what backends have now: its id, and what was found. PreflightRefused for errors.

        Where runs are at work, backends would answer when their calls are done: what they had counts, unless that speaks against it.
        """
        fresh = not self.runner.is_busy
        outlook = self.outlook(asked, fresh)
        if outlook.errors and not fresh:  # even if what was at work has ended by now
            outlook = self.outlook(asked, fresh=True)
        if outlook.errors:
            raise PreflightRefused(outlook.findings)
        run_id = self.runner.add(asked.whole, asked.values, asked.pictures, folder, asked.confirmed)
        for key, chosen in asked.choices.items():
            self.ledger.runs.choose(run_id, key, chosen)
        return run_id, outlook

    def start(self, run_id: str, folder: Path | None = None, private: bool = False) -> None:
        """Carry out the run, or go on with it, in the background; what it makes comes into its folder, or `folder`, as it is made.

        private: no file says how it was made.
        """
        run = self.ledger.runs.get(run_id)
        self.on_start(run_id)
        private = private or self.is_private
        with self._guard:
            earlier = self._deliveries.get(run_id)
            if earlier is None or not earlier.go_on():
                place = folder or self.folder_of(run)
                self._deliveries[run_id] = Delivery(
                    self.runner, run_id, place, private, after=earlier, then=lambda: self.class_orders.deliver(run_id, private)
                )

    def retry(self, run_id: str, key: str = "") -> None:
        """Try a stage instance that failed, or was left out by that, once more; without a key, all of them. BadRequest for others."""
        record = next((node for node in self.ledger.nodes(run_id) if node.key == key), None)
        if key and record is None:
            raise NotFound(f'The run "{run_id}" has no stage instance "{key:.80}".')
        if record is not None and record.state not in ("failed", "left out"):
            raise BadRequest(f"{record.place} has not failed: it is {record.state}. For another picture, change its seed or its settings.")
        self.runner.forgive(run_id, key)
        self.start(run_id)

    def delivered(self, run_id: str) -> list[str]:
        """Wait until a run that was started here has come to a halt and its folder is complete; the files' names. StorageError.

        None of a run that this process has not started: its folder is another one's to fill.
        """
        delivery = self._deliveries.get(run_id)
        return delivery.wait() if delivery else []

    def folder_of(self, run: Run) -> Path:
        """Where the run's files go."""
        return Path(run.folder) if run.folder else self.home.outputs(run.id)

    def reviews(self, run_id: str) -> list[Review]:
        """The choices that the run waits for, or will wait for when the rest is done."""
        return open_reviews(self.runner, run_id)

    def choose(self, run_id: str, stage: str, chosen: Sequence[object], item: int | None = None) -> Review:
        """Decide a review, or decide it otherwise than before; the run goes on by itself only where it is at work here.

        Pictures and items are counted from 1.
        """
        reviews = self.reviews(run_id)
        try:
            review = find_review(reviews, stage, item)
        except (BadRequest, NotFound):
            decided = [one for one in decided_reviews(self.runner, run_id) if one.stage == stage]
            if not decided:
                raise
            review = find_review([*reviews, *decided], stage, item)
        self.runner.choose(run_id, review.key, places_of(review, chosen))
        return review

    def write_outputs(self, run: Run, folder: Path, private: bool = False) -> list[str]:
        """Write what is done of the run into a folder; the files' names."""
        return Outputs(run, self.runner.plan(run.id).plan, self.ledger, self.blobs, private).write(folder)

    def files_of(self, run: Run) -> dict[str, str]:
        """The file that each picture of the run stands in, by hash."""
        plan = self.runner.plan(run.id).plan
        layout = Layout(run.recipe, plan)
        results = [(node, result) for node in plan.nodes if (result := self.ledger.results.get(node.key)) is not None]
        return {place.blob: place.file for node, result in results for place in layout.places(node, result)}

    def collect(self, older_than: float | None = None, dry: bool = False, grace: float = GRACE) -> Collected:
        """Delete what nobody needs: as runs.garbage.collect, but that the draft's pictures stay, and thumbnails of what is gone go, too."""
        collected = collect(self.ledger, self.blobs, older_than, dry, grace, pictures_of(self.drafts.get()))
        if not dry:
            self.thumbnails.sweep()
        return collected

    def remove(self, run_id: str) -> None:
        """Forget a run that is not at work. What it made stays until garbage is collected."""
        self.ledger.settle()
        run = self.ledger.runs.get(run_id)
        if run.pinned:
            raise BadRequest(f'The run "{run_id}" is pinned; take the pin away first.')
        if run.state == "running":
            raise AtWork(f'The run "{run_id}" is at work; cancel it first.')
        self.ledger.runs.remove(run_id)


def _folders(models: Path) -> dict[FileKind, list[Path]]:
    """Where a WebUI has which kind of files."""
    return {
        "checkpoint": [models / "Stable-diffusion"],
        "lora": [models / "Lora", models / "LyCORIS"],
        "vae": [models / "VAE", models / "Stable-diffusion"],
        "controlnet": [models / "ControlNet"],
        "embedding": [models.parent / "embeddings"],
    }
