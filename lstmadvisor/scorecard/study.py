"""How the program searches for settings, and whether its runs can be repeated: A01, A02."""

from __future__ import annotations

from lstmadvisor.facts import Program, Unknown, plain
from lstmadvisor.scorecard import notes
from lstmadvisor.scorecard.answers import Answer, departs, follows, untold, used
from lstmadvisor.scorecard.words import enumerated, span, worded

_NOT_THE_FRAMEWORK = {"numpy", "random", "python", "cuda"}
_SEED = {
    "pytorch": "`torch.manual_seed(0)`",
    "keras": "`keras.utils.set_random_seed(0)`",
    "both": "`torch.manual_seed(0)` and `keras.utils.set_random_seed(0)`",
}


def tuning(program: Program) -> Answer:
    """A01: search for hyperparameters."""
    search = program.tuning
    if isinstance(search.tool, Unknown):
        return untold("tuner", search.tool)
    tool = plain(search.tool)
    if tool is None:
        step = "Tune the learning rate first, by random search; this program has no tuner."
        return departs("no tuner", next=step, notes=[notes.TUNE_AT_RANDOM])
    at = search.tool.at or search.at
    remarks = [notes.TUNE_AT_RANDOM]
    objective, on, dimensions = plain(search.objective), plain(search.on), span(search.dimensions)
    found = f"{tool}, by {objective}" if objective else str(tool)
    if str(tool).startswith("GridSearch"):
        remarks.insert(0, notes.GRID_IGNORES_TIME)
    if on in ("test", "training"):
        found += f" on the {on} data"
        return follows(found, at, "change", "Let the search select by validation data.", remarks)
    if str(tool).startswith("GridSearch") and dimensions and dimensions[0] > 2:
        found += f", a grid of {worded(search.dimensions)} dimensions"
        return follows(found, at, "your call", "Sample the ranges at random; a grid wastes its trials.", remarks)
    return follows(found, at, notes=remarks)


def repeated_runs(program: Program) -> Answer:
    """A02: results differ from run to run."""
    seeds = used(program.seeds)
    if isinstance(seeds, Unknown):
        return untold("seeds", seeds, notes=[notes.SEEDS])
    step = f"Call {_SEED.get(program.framework, 'the seeding function')} before the model is built."
    if not seeds:
        return departs("no seed is set", action="change", next=step, notes=[notes.SEEDS])
    libraries = [plain(seed.library) for seed in seeds]
    at = seeds[0].at
    if all(str(library).lower() in _NOT_THE_FRAMEWORK for library in libraries):
        found = f"seeds {enumerated(libraries)}, not the framework"
        return departs(found, at, "change", step, [notes.SEEDS])
    if unknown := [seed.library for seed in seeds if isinstance(seed.library, Unknown)]:
        return untold("what is seeded", unknown[0], at, [notes.SEEDS])
    values = enumerated([plain(seed.value) for seed in seeds if plain(seed.value) is not None])
    found = f"seeds {enumerated(libraries)}{f' with {values}' if values else ''}; one run shows no spread"
    return follows(found, at, notes=[notes.SEEDS])
