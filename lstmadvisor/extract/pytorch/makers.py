"""Which library object a value is: an optimizer, a schedule, a gradient scaler, a trainer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lstmadvisor.extract.abstract.values import Class, Instance, Seq, Spot, Term, Value, options
from lstmadvisor.extract.pytorch.torch_ops import last
from lstmadvisor.patterns import regex

if TYPE_CHECKING:
    from lstmadvisor.extract.abstract.run import Run

_OPTIMIZERS = frozenset(
    "Adam AdamW SGD RMSprop Adagrad Adadelta Adamax NAdam RAdam ASGD Rprop LBFGS SparseAdam Adafactor Muon Nadam "
    "BertAdam OpenAIAdam Lamb LARS Ranger RangerLars Ranger21 Lookahead AdaBound AdaBoundW AdaBelief NovoGrad Lion "
    "MADGRAD Prodigy DAdaptAdam DAdaptSGD FusedAdam FusedSGD FusedLAMB DeepSpeedCPUAdam AdamP SGDP SGDW QHAdam QHM "
    "DiffGrad Yogi Shampoo SAM PID AccSGD AggMo Apollo Adahessian Adam8bit AdamW8bit PagedAdamW Sophia SophiaG "
    "ScheduleFree AdamWScheduleFree "
    "SGDScheduleFree RAdamScheduleFree LARSWrapper SWA create_optimizer create_optimizer_v2".split()
)
_NOT_TORCH = frozenset("keras tensorflow jax optax flax mxnet paddle sklearn chainer scipy theano mindspore".split())
_SCHEDULE = regex(r"(LR|Scheduler|Schedule|OnPlateau|WarmRestarts|LRSchedule)$|^get_\w*sched\w*$|^WarmupLR")
_NOT_SCHEDULE = regex(r"APScheduler|TaskScheduler|BackgroundScheduler|noise|diffus|DDPM|DDIM", re.I)


def is_optimizer(name: str) -> bool:
    """Whether a library's name is that of an optimizer for PyTorch."""
    head, _, tail = name.rpartition(".")
    if name.split(".", 1)[0] in _NOT_TORCH:
        return False
    if head == "torch.optim":
        return tail[:1].isupper() and tail != "Optimizer"
    return bool(head) and tail in _OPTIMIZERS


def is_schedule(name: str) -> bool:
    """Whether a library's name is that of a learning-rate schedule for PyTorch."""
    if name.startswith("torch.optim.lr_scheduler."):
        return True
    root = name.split(".", 1)[0]
    if root in _NOT_TORCH or "." not in name or _NOT_SCHEDULE.search(name):
        return False
    return bool(_SCHEDULE.search(last(name)))


def is_scaler(name: str) -> bool:
    """Whether a library's name is that of a scaler of gradients for mixed precision."""
    return last(name) in ("GradScaler", "ShardedGradScaler")


def makers(value: Value | None) -> Iterator[Term]:
    """The library calls that made an object: itself, or the library object inside an object of the user's class."""
    for each in options(value):
        if isinstance(each, Instance):
            if each.term is not None:
                yield each.term
        elif isinstance(each, Seq):
            for item in each.items:
                yield from makers(item)
        elif isinstance(each, Term):
            if each.op == "call":
                yield each
            elif each.op == "method" and each.name in ("prepare", "to", "setup_optimizers", "configure_optimizers"):
                for argument in each.args:
                    yield from makers(argument)
            elif each.op in ("item", "elem"):
                yield from makers(each.base)


def made_as(value: Value | None) -> str:
    """The canonical name of the library's class or function that made an object; empty where that is not known."""
    return next((t.name for t in makers(value)), "")


def owner(run: Run, term: Term) -> Instance | None:
    """The object of a user's class whose library part a call made (`super().__init__(…)`)."""
    return next((i for i in run.instances if i.term is term), None)


def extends(run: Run, cls: Class, *prefixes: str) -> bool:
    """Whether a user's class extends a library's class whose name starts with one of `prefixes`."""
    return any(b.startswith(prefixes) for b in run.library_bases(cls))


def said(term: Term) -> str:
    """How the source names the thing that a method is called on: `self.opt` of `self.opt.step()`."""
    node = getattr(term.at.node, "func", None)
    receiver = getattr(node, "value", None)
    if term.at.module is None or receiver is None:
        return ""
    return term.at.module.code(receiver)


def spot_text(spot: Spot) -> str:
    """The source at a spot, on one line."""
    return spot.module.code(spot.node, 120) if spot.module is not None and spot.node is not None else ""
