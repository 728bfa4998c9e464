"""Seeds of random numbers."""

from __future__ import annotations

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Term
from lstmadvisor.extract.common import default, fact, inferred, place
from lstmadvisor.extract.pytorch.torch_ops import last
from lstmadvisor.facts import Known, Seed

_SEEDS = {
    "torch.manual_seed": "torch", "torch.random.manual_seed": "torch", "torch.mps.manual_seed": "torch",
    "torch.cuda.manual_seed": "torch.cuda", "torch.cuda.manual_seed_all": "torch.cuda",
    "torch.cuda.random.manual_seed_all": "torch.cuda", "numpy.random.seed": "numpy",
    "numpy.random.default_rng": "numpy", "numpy.random.RandomState": "numpy", "random.seed": "random",
    "lightning.seed_everything": "all", "lightning.utilities.seed_everything": "all", "transformers.set_seed": "all",
    "transformers.enable_full_determinism": "all", "accelerate.utils.set_seed": "all",
    "fastai.torch_core.set_seed": "all", "ignite.utils.manual_seed": "all", "keras.utils.set_random_seed": "all",
    "tensorflow.random.set_seed": "tensorflow", "tensorflow.set_random_seed": "tensorflow",
}  # fmt: skip


def seeds(run: Run) -> tuple[Seed, ...]:
    """Seeds that the program sets on the way that the defaults take."""
    made: list[Seed] = []
    for term in run.trace:
        if not term.scope.active:
            continue
        if term.op == "call" and (term.name in _SEEDS or last(term.name) in ("seed_everything", "set_seed")):
            library = _SEEDS.get(term.name, "all")
            given = term.args[0] if term.args else next(iter(term.kwargs.values()), None)
        elif (
            term.op == "method"
            and term.name == "manual_seed"
            and isinstance(term.base, Term)
            and last(term.base.name) == "Generator"
        ):
            library, given = "torch", term.args[0] if term.args else None
        else:
            continue
        if given is None or (isinstance(given, Const) and given.value is None):
            continue
        item = Seed(at=place(term.at), library=inferred(library, place(term.at)), value=fact(given))
        if item not in made:
            made.append(item)
    return tuple(made)


def framework_seed(value: object) -> Seed:
    """The seed that a trainer sets by itself."""
    return Seed(library=Known(value="all", via="default"), value=default(value))
