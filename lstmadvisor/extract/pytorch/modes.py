"""Where an evaluation could switch the modes of the models: the statement that it is, and the models' names there."""

from __future__ import annotations

import libcst as cst

from lstmadvisor.extract.abstract import frameworks
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Env, Spot, Value, options
from lstmadvisor.extract.common import inferred, nodes_down, place
from lstmadvisor.extract.pytorch.evaluation import Evaluation
from lstmadvisor.extract.pytorch.origins import Forward
from lstmadvisor.extract.pytorch.spoken import name_in
from lstmadvisor.extract.pytorch.steps import Steps
from lstmadvisor.facts import TrainingStep

_BLOCKS = (cst.If, cst.Else, cst.Try, cst.ExceptHandler, cst.Finally)


def with_modes(step: TrainingStep, run: Run, steps: Steps, evaluation: Evaluation) -> TrainingStep:
    """The training step with what is known of the first evaluation in training mode."""
    found = [forward for forward, mode in evaluation.evaluating() if mode == "train"]
    if not found:
        return step
    spot = evaluation.begins(found[0].term)
    frames = found[0].term.scope.frames
    within = next((n for n, frame in enumerate(frames) if frame.spot is spot), len(frames))
    frame = frames[within - 1] if within else None
    module = spot.module
    if spot.node is None or module is None:
        return step
    env = module.env if frame is None else frame.env
    names = [] if env is None else _names(run, [n for n in found if n.term.scope.frames == frames], evaluation, env)
    root: cst.CSTNode = module.tree if frame is None else frame.function.node
    statement = _statement(root, spot.node, steps)
    if not names or statement is None:
        return step
    amid = any(training.around(found[0].term) for training in steps.trainings) and not _switched_back(run, steps)
    if amid and isinstance(statement, cst.Return):
        return step
    at = place(Spot(module, statement))
    told = {"evaluation": at, "evaluates": inferred(names), "trains_on": inferred(amid)}
    return step.model_copy(update=told)


def _names(run: Run, forwards: list[Forward], evaluation: Evaluation, env: Env) -> list[str]:
    """What stands for the models that are evaluated and trained; none where one of the former has no name."""
    trained = {id(m): name for m in evaluation.trained if (name := name_in(env, m))}
    within = {id(part): trained[id(m)] for m in evaluation.trained if id(m) in trained for part in _parts(run, m)}
    names: list[str] = []
    for model in [model for forward in forwards for model in options(forward.module)]:
        called = within.get(id(model)) or name_in(env, model)
        if not called:
            return []
        names.append(called)
    return list(dict.fromkeys([*names, *trained.values()]))


def _parts(run: Run, model: Value) -> list[Value]:
    return [model, *(part for _, part in frameworks.submodules(run, model))]


def _statement(root: cst.CSTNode, target: cst.CSTNode, steps: Steps) -> cst.CSTNode | None:
    """The statement that an evaluation is, in the block of the function, of the training loop or of an `if`."""
    loops = {id(loop.spot.node) for training in steps.trainings for loop in training.loops}
    statement: cst.CSTNode | None = None
    for node in nodes_down(root, target) or ():
        if id(node) in loops or isinstance(node, _BLOCKS):
            statement = None
        elif isinstance(node, (cst.BaseCompoundStatement, cst.BaseSmallStatement)):
            return node
    return statement


def _switched_back(run: Run, steps: Steps) -> bool:
    """Whether the training loop puts something into training mode in every turn."""
    return any(
        term.op == "method" and term.name == "train" and any(training.around(term) for training in steps.trainings)
        for term in run.trace
    )
