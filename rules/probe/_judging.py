"""What the rules about a probed run share."""

from lstmadvisor.rule import Evidence, Place, Program, Undecided, active, items, measured, where


def optimizer_at(program: Program) -> Place:
    """Where the learning rate is written, or the optimizer is built."""
    chosen = active(program.optimizers)
    return where(*(one.learning_rate for one in chosen), *chosen, program)


def layer_at(program: Program) -> Place:
    """Where the first recurrent layer is built."""
    return where(*active(program.recurrent_layers), program)


def loss_at(program: Program) -> Place:
    """Where the loss is computed, or backward is called."""
    backward = [step for step in items(program.training_step.order) if step.kind == "backward"]
    return where(*active(program.losses), *backward, program)


def backward_at(program: Program) -> Place:
    """Where the gradient is computed, or else the loss."""
    backward = [step for step in items(program.training_step.order) if step.kind == "backward"]
    return where(*backward, loss_at(program))


def input_at(program: Program) -> Place:
    """Where the data come from, or the layer that reads them."""
    return where(program.dataset, *active(program.recurrent_layers), program)


def stuck(program: Program, share: float = 0.95) -> bool | None:
    """Whether the loss ended where a constant prediction is, or, if that is not known, did not fall.  None: can't tell.

    share: of the constant's loss, that counts as no better.
    """
    probe = measured(program)
    if probe is None:
        return None
    found = probe.statistics
    if found.over_constant is not None:
        return found.over_constant >= share
    if found.fall is None:
        return None
    middle, low, high = found.fall
    if high < 0.1 and (low <= 0 or middle < 0.05):
        return True
    return False if low > 0 and middle >= 0.05 else None


def far(program: Program) -> bool:
    """Whether what has to be remembered may lie out of the gradient's reach: then a slow start tells little."""
    probe = measured(program)
    reach = None if probe is None else probe.statistics.reach
    steps = max((layer.sequence_length or 0 for layer in probe.layers), default=0) if probe else 0
    return reach is not None and steps > 20 * reach


def extend(steps: int, least: int, what: str) -> Undecided:
    """The run was too short to judge."""
    return Undecided(missing=f"{what}: the probe made {steps} steps; extend it to {least} steps")


def targets_unseen(program: Program) -> Undecided | None:
    """Where there was training, and no loss function of the framework in it."""
    probe = measured(program)
    if probe is None or not probe.steps or probe.losses or probe.statistics.over_constant is not None:
        return None
    return Undecided(missing="targets: the loss is written by hand, or by a library", at=loss_at(program))


def series(name: str, text: str) -> Evidence:
    """A measured series, with what to see in it."""
    return Evidence(series=name, text=text)


def plural(count: int, thing: str) -> str:
    """`3 steps`, `1 step`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
