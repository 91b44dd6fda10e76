"""The story of one run, from images to the finished record."""

from __future__ import annotations

import logging
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import CheckFailedError, MissingDataError, NotReproducibleError
from benchmarker.core.files import write_bytes, write_json
from benchmarker.core.hashing import digest_arrays
from benchmarker.data.cache import PreparedImages, prepared
from benchmarker.data.checking import refuse_leaks
from benchmarker.data.generator import ImageBatches
from benchmarker.data.recipes import Recipe, load_recipe, recipe_of_passes
from benchmarker.metrics.operating_points import chosen_thresholds
from benchmarker.metrics.temperature import calibrated, temperature
from benchmarker.networks import describe, registry
from benchmarker.runs import checkpoint, determinism, lineage, testing
from benchmarker.runs import scores as scoring
from benchmarker.runs.evaluation import Asked, measure
from benchmarker.runs.facts import write_facts
from benchmarker.runs.folder import VALIDATION, RunFolder, history_digest, utc_now
from benchmarker.runs.mistakes import write_mistakes
from benchmarker.runs.resolve import Resolved
from benchmarker.runs.spec import Spec, StopRequest
from benchmarker.runs.trained import trained_notes
from benchmarker.runs.training import Interrupted, Training, train
from benchmarker.runs.transfer import start_from, trainable_parameters
from benchmarker.runs.weights import load_weights, named_weights, weights_digest, write_tensors

LOG = logging.getLogger("benchmarker")
MODELS = ("best", "final")
# how the data and the split were found: for opening them again, no part of the identity
PLACE = (
    "data", "subset", "manifest", "labels", "fr0", "skip", "split", "train", "validation",
)  # fmt: skip
NOT_EXACT = "operations without a deterministic form were allowed"


@dataclass(frozen=True)
class Job:
    """A resolved run with what its process was given."""

    spec: Spec
    resolved: Resolved
    stop: StopRequest
    console: Any

    @property
    def folder(self) -> RunFolder:
        """The run's folder."""
        return self.spec.folder


def train_and_test(job: Job) -> None:
    """Make the record of one run; resumes where an earlier sitting was cut off."""
    settings = job.resolved.settings
    determinism.set_determinism(settings.seed, job.spec.threads, ops=job.spec.deterministic)
    here = determinism.fingerprint(job.spec.threads, ops=job.spec.deterministic)
    if job.folder.read() is None:
        # a checkpoint whose record somebody removed belongs to nothing
        shutil.rmtree(job.folder.checkpoint, ignore_errors=True)
    marks = _fingerprint_marks(job.spec, here) if checkpoint.exists(job.folder.checkpoint) else []
    refuse_leaks(job.resolved.images, job.resolved.split)
    parts = {part: _prepared(job, part) for part in ("train", "validation", "test")}
    model = _model(job)
    if job.resolved.transfer is not None:
        anew = not checkpoint.exists(job.folder.checkpoint)
        start_from(model, job.resolved.transfer, take=anew)
    _begin(job, here, model, marks)
    state = _train(job, model, parts)
    _finish(job, model, state, parts)
    job.console.say(
        f"{settings.label}: trained in {state.seconds:.0f} s, record in {job.folder.path}"
    )


def _prepared(job: Job, part: str) -> PreparedImages:
    resolved = job.resolved
    recipes = {"train": resolved.recipe, "validation": resolved.validation_recipe}
    recipe = recipes.get(part) or load_recipe("none")
    return _cached(job, getattr(resolved.split, part), recipe, f"preparing {part} images")


def _cached(job: Job, names: tuple[str, ...], recipe: Recipe, what: str) -> PreparedImages:
    resolved = job.resolved
    return prepared(
        resolved.images,
        names,
        resolved.preparation,
        recipe,
        Path(job.spec.cache),
        progress=lambda done, total: job.console.step(what, done, total),
    )


def _model(job: Job) -> Any:
    settings = job.resolved.settings
    return registry.build(
        settings.network,
        job.resolved.shape,
        len(job.resolved.images.classes),
        seed=settings.seed,
        legacy=settings.protocol == "legacy",
        **dict(settings.network_settings),
    )


def _note_transfer(job: Job, model: Any) -> None:
    """Say in the record what the run started from, and whether that knew the test sources."""
    resolved = job.resolved
    job.console.say(f"{resolved.settings.label}: comparing test sources with those of init")
    said = lineage.note(resolved.transfer, resolved.images, resolved.split.test)
    marks = lineage.marks(said)
    for mark in marks:
        job.console.say(f"{resolved.settings.label}: {mark}")
    record = job.folder.read() or {}
    job.folder.change(
        init=said,
        place={"init": resolved.transfer.source.place},
        network={"trainable_parameters": trainable_parameters(model)},
        status={"marks": sorted({*record["status"]["marks"], *marks})},
    )


def _notes(job: Job) -> dict[str, str]:
    """What goes with the weights, so that they can be used without the run's folder."""
    settings, resolved = job.resolved.settings, job.resolved
    return trained_notes(
        network=settings.network,
        network_settings=dict(settings.network_settings),
        shape=resolved.shape,
        classes=resolved.images.classes,
        preparation=resolved.preparation,
        legacy=settings.protocol == "legacy",
    )


def _fingerprint_marks(spec: Spec, here: dict[str, Any]) -> list[str]:
    """Marks for the record; refuses to resume on another machine or other versions.

    Raises `NotReproducibleError` unless the user accepted the differences.
    """
    record = spec.folder.read() or {}
    found = determinism.differences(record.get("fingerprint", here), here)
    if not found:
        return []
    if not spec.accept_differences:
        message = (
            "this run cannot be continued exactly here:\n  "
            + "\n  ".join(found)
            + "\nuse --accept-differences to go on (the record is marked) or --again to begin anew"
        )
        raise NotReproducibleError(message)
    return [f"resumed elsewhere: {text}" for text in found]


def _begin(job: Job, here: dict[str, Any], model: Any, marks: list[str]) -> None:
    settings, shape = job.resolved.settings, job.resolved.shape
    if not checkpoint.exists(job.folder.checkpoint):
        facts = describe.describe(
            settings.network,
            shape[:2],
            len(job.resolved.images.classes),
            shape[2],
            settings=dict(settings.network_settings),
        )
        network = {
            "parameters": facts.parameters,
            "trainable_parameters": facts.trainable_parameters,
            "multiply_adds": facts.multiply_adds,
        }
        job.folder.begin(job.resolved.identity, here, network)
        # a report shows the layers without building the network, whatever becomes of its name
        write_json(job.folder.path / "network.json", facts.as_dict())
        allowed = [] if job.spec.deterministic else [NOT_EXACT]
        job.folder.change(
            status={"marks": allowed},
            digests={"initial_weights": weights_digest(model)},
            place={key: getattr(settings, key) for key in PLACE},
        )
        if job.resolved.transfer is not None:
            _note_transfer(job, model)
        LOG.info("begun: %s", job.folder.path.name)
    else:
        old = (job.folder.read() or {}).get("status", {}).get("marks", [])
        status = {"state": "running", "reason": None, "marks": sorted({*old, *marks})}
        job.folder.change(status=status)
        LOG.info("resumed: %s", job.folder.path.name)


def _train(job: Job, model: Any, parts: dict[str, PreparedImages]) -> Any:
    settings = job.resolved.settings
    batches = ImageBatches(
        parts["train"],
        len(job.resolved.images.classes),
        batch=settings.batch,
        seed=settings.seed,
        shuffle=True,
        recipe=job.resolved.recipe,
        legacy_batches=settings.protocol == "legacy",
        passes=settings.passes,
    )
    training = Training(
        model,
        settings,
        batches,
        parts["validation"],
        job.folder.checkpoint,
        job.resolved.identity["digest"],
        workers=job.spec.workers,
        report=lambda state, pace: job.console.batch(settings.label, state, settings.epochs, pace),
        epoch_done=lambda history: _epoch_done(job, history),
        stop_asked=job.stop.asked,
        recipe=recipe_of_passes(job.resolved.recipe) if settings.validation_passes else None,
        kept=job.folder.kept,
        notes=_notes(job),
        taken=() if job.resolved.transfer is None else job.resolved.transfer.taken,
    )
    job.stop.gentle = True
    try:
        return train(training)
    except Interrupted:
        raise KeyboardInterrupt from None
    finally:
        job.stop.gentle = False


def _epoch_done(job: Job, history: list[dict[str, float]]) -> None:
    job.folder.write_history(history)
    job.folder.change(status={"epochs_done": len(history)})
    job.console.epoch(job.resolved.settings.label, history[-1], job.resolved.settings.epochs)
    row = history[-1]
    LOG.info("epoch %d: %s", row["epoch"], ", ".join(f"{k} {v:.6g}" for k, v in row.items()))


def _finish(job: Job, model: Any, state: Any, parts: dict[str, PreparedImages]) -> None:
    folder = job.folder
    job.console.say(f"{job.resolved.settings.label}: testing")
    folder.write_history(state.history)
    write_tensors(folder.path / "final.safetensors", named_weights(model), _notes(job))
    shutil.copyfile(
        checkpoint.best_path(folder.checkpoint, state.best_epoch), folder.checkpoint / "best.copy"
    )
    (folder.checkpoint / "best.copy").replace(folder.path / "best.safetensors")
    results = _test(job, model, parts)
    classes = job.resolved.images.classes
    folder.write_predictions(parts["test"], classes, results["scores"])
    folder.write_predictions(
        _unvaried(job, "validation"), classes, results["validation"], file=VALIDATION
    )
    folder.write_measured(results["measured"], job.resolved.images.classes)
    write_mistakes(folder.path, job.resolved.images, parts["test"], results["scores"]["best"])
    write_facts(folder.path, job.resolved.images, parts["test"].sources)
    write_json(folder.path / "metrics.json", results["metrics"])
    rate = np.median([row["images_per_second"] for row in state.history])
    folder.change(
        digests={
            "best_weights": results["digests"]["best"],
            "final_weights": results["digests"]["final"],
            "history": history_digest(state.history),
            "predictions": digest_arrays(results["scores"]),
            "files": folder.file_digests(),
        },
        timings={
            "training_seconds": round(state.seconds, 3),
            "training_images_per_second": float(rate),
            "inference": results["inference"],
        },
        finished=utc_now(),
        best_epoch=state.best_epoch + 1,
    )
    _plots(folder)
    _copies(job)
    folder.sweep()
    # complete is the last word: a kill before it repeats this short part only
    folder.change(
        status={"state": "complete", "reason": None, "stopped_early": state.stopped_early}
    )
    shutil.rmtree(folder.checkpoint, ignore_errors=True)
    LOG.info("complete")


def _test(job: Job, model: Any, parts: dict[str, PreparedImages]) -> dict[str, Any]:
    """Test best and final weights; also scores on the unrotated other images."""
    plain, unvaried = (_unvaried(job, part) for part in ("train", "validation"))
    names = ("metrics", "scores", "validation", "measured", "inference", "digests")
    out: dict[str, Any] = {name: {} for name in names}
    for kind in MODELS:
        load_weights(model, job.folder.path / f"{kind}.safetensors")
        out["digests"][kind] = weights_digest(model)
        out["metrics"][f"train_{kind}"] = testing.quick_scores(model, plain)
        seen = out["validation"][kind] = scoring.scores(model, unvaried)
        out["metrics"][f"validation_{kind}"] = (
            testing.accuracy_and_loss(unvaried.labels, seen)
            if parts["validation"].digest == unvaried.digest
            else testing.quick_scores(model, parts["validation"])
        )
        begun = time.perf_counter()
        scores = scoring.scores(model, parts["test"])
        seconds = time.perf_counter() - begun
        measured = measure(model, parts["test"], _asked(job, kind), scores=scores)
        out["scores"][kind], out["measured"][kind] = scores, measured
        fitted = temperature(unvaried.labels, seen)
        found = calibrated(fitted, measured.labels, scores, seed=job.resolved.settings.seed)
        chosen = chosen_thresholds(
            job.resolved.images.classes,
            (unvaried.labels, scoring.softmax(seen)),
            (measured.labels, scoring.softmax(scores)),
        )
        found = {"temperature": found} | ({} if chosen is None else {"thresholds": chosen})
        out["metrics"][kind] = measured.metrics | found
        speed = {
            "test_seconds": round(seconds, 4),
            "images_per_second": round(len(scores) / seconds, 1),
        }
        out["inference"][kind] = speed
    out["inference"]["best"] |= testing.inference_speed(model, parts["test"])
    return out


def _unvaried(job: Job, part: str) -> PreparedImages:
    """The images of a part as they are, one per source, also where training varies them."""
    names = getattr(job.resolved.split, part)
    return _cached(job, names, load_recipe("none"), f"preparing {part} images")


def _asked(job: Job, kind: str) -> Asked:
    """The plain test; for the best weights also the passes asked for, and a full turn."""
    settings, classes = job.resolved.settings, job.resolved.images.classes
    if kind != MODELS[0]:
        return Asked(classes, settings.seed, turn=False)
    job.console.say(f"{settings.label}: turning test images")
    recipe = recipe_of_passes(job.resolved.recipe) if settings.test_passes else None
    return Asked(classes, settings.seed, passes=settings.test_passes, recipe=recipe)


def _plots(folder: RunFolder) -> None:
    from benchmarker.report.plots import write_plots

    try:
        write_plots(folder.path)
    except Exception:  # a picture can be drawn again; what was trained must not be lost
        LOG.exception("the plots were not drawn; 'benchmarker check' looks at the rest")


def _copies(job: Job) -> None:
    """The classic ``-m`` folder: weights under the original's names."""
    if job.spec.copies is None:
        return
    settings = job.resolved.settings
    stem = f"{settings.network}_{settings.seed}_{settings.learning_rate}_{settings.epochs}"
    target = Path(job.spec.copies)
    for kind, ending in (("best", ""), ("final", "_final")):
        weights = (job.folder.path / f"{kind}.safetensors").read_bytes()
        write_bytes(target / f"{stem}{ending}.safetensors", weights)


def test_again(job: Job) -> None:
    """Test the stored weights of a complete run anew; says whether the predictions agree.

    Raises `CheckFailedError` where they do not, though machine and versions are the same.
    """
    settings = job.resolved.settings
    record = job.folder.read()
    if record is None or record["status"]["state"] != "complete":
        message = (
            f"{job.folder.path} holds no complete run to test; run the same command without "
            "--only-test first"
        )
        raise MissingDataError(message)
    determinism.set_determinism(settings.seed, job.spec.threads, ops=job.spec.deterministic)
    parts = {part: _prepared(job, part) for part in ("validation", "test")}
    results = _test(job, _model(job), parts)
    same = digest_arrays(results["scores"]) == record["digests"]["predictions"]
    unlike = determinism.differences(
        record["fingerprint"], determinism.fingerprint(job.spec.threads, ops=job.spec.deterministic)
    )
    verdict = f"differ from the record, as they may with {'; '.join(unlike)}"
    if not same and not unlike:
        message = (
            f"{settings.label}: tested again, the predictions differ from those recorded on this "
            f"machine; 'benchmarker check {job.folder.path}' looks for files that were changed"
        )
        raise CheckFailedError(message)
    job.console.say(
        f"{settings.label}: tested again, predictions "
        + ("are bit-identical to the record" if same else verdict)
    )
    job.folder.change(timings={"inference": results["inference"]})
