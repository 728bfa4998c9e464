"""Data of both frameworks: batches, sequences, shuffling, splits, scalers, padding, metrics."""

from __future__ import annotations

from typing import Any

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.common import inferred
from lstmadvisor.extract.data import batches, lengths, samples, vocabulary
from lstmadvisor.extract.data.feeds import feeds
from lstmadvisor.extract.data.fits import fits
from lstmadvisor.extract.data.lineage import Lineage
from lstmadvisor.extract.data.metrics import metrics
from lstmadvisor.extract.data.padding import padding
from lstmadvisor.extract.data.promises import reproducibility
from lstmadvisor.extract.data.scaling import scaling
from lstmadvisor.extract.data.splits import Splits, everything, roots_of
from lstmadvisor.extract.data.targets import targets
from lstmadvisor.extract.shapes.shapes import Shapes
from lstmadvisor.facts import ABSENT, Known, Unknown, plain


def facts(run: Run, found: dict[str, Any]) -> dict[str, Any]:
    """Facts by key of `Program`."""
    out: dict[str, Any] = {}
    training, fitted, shapes = feeds(run), fits(run), Shapes(run)
    if not isinstance(found.get("batch_size"), Known):
        out["batch_size"] = batches.batch_size(run, training, fitted, shapes)
    if not isinstance(found.get("shuffle"), Known):
        out["shuffle"] = batches.shuffle(run, training, fitted, shapes)
    out["sequence_length"] = lengths.sequence_length(run, training, fitted, shapes)
    lineage = Lineage(run)
    values = list(everything(roots_of(lineage)))
    splits = Splits(lineage, values, fitted)
    out["dataset"] = samples.dataset(
        run, lineage, training, fitted, shapes, out.get("batch_size", found.get("batch_size", ABSENT))
    )
    out["split"] = samples.split(run, lineage, splits, training, fitted)
    ordered = training and training[0].loaders() and plain(out.get("shuffle", ABSENT)) is False
    if ordered and plain(out["split"].kind) == "random":
        out["shuffle"] = Unknown(unknown="the loader keeps an order that was drawn at random before")
    filled = padding(run, training, values, found.get("padding"))
    if isinstance(filled.padded, Unknown) and (
        plain(out["dataset"].kind) in ("windows", "stream")
        or samples.of_one_length(lineage, training, fitted) is not None
    ):
        filled = filled.model_copy(update={"padded": inferred(False)})  # pieces of one length
    out["padding"] = filled
    out["targets"] = targets(run, lineage, fitted, shapes, found)
    out["metrics"] = metrics(run, lineage, splits, training, fitted)
    acts = [*(feed.act.serial for feed in training), *(fit.act.serial for fit in fitted)]
    out["scaling"] = scaling(run, lineage, splits, values, max(acts, default=None))
    out["reproducibility"] = reproducibility(run)
    ids = vocabulary.dictionaries(run, values)
    if "embeddings" in found:
        out["embeddings"] = vocabulary.embeddings(run, ids, found["embeddings"])
    shared = vocabulary.value_is_token(run, ids, out["padding"], found)
    out["padding"] = out["padding"].model_copy(update={"value_is_token": shared})
    return out
