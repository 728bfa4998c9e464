"""Uses of a recurrent layer's results, and what a value on the way to them holds."""

from __future__ import annotations

from typing import NamedTuple

from lstmadvisor.extract.abstract.values import Spot, Term
from lstmadvisor.extract.pytorch.flow import Flow
from lstmadvisor.extract.pytorch.indexing import asked

NO_READ = frozenset(
    "size dim numel ndimension shape backward register_hook is_contiguous device dtype requires_grad stride storage "
    "is_cuda batch_sizes sorted_indices flatten_parameters append is_leaf grad grad_fn element_size names".split()
)
SAME = frozenset(
    "contiguous to cuda cpu float double half bfloat16 type type_as clone detach detach_ data requires_grad_ clamp "
    "masked_fill masked_fill_ mul div add sub add_ mul_ retain_grad numpy nan_to_num rename copy_".split()
)
POOLS = frozenset("mean sum max amax min amin logsumexp median std var cummax".split())
CATS = frozenset("cat concat concatenate hstack".split())
QUIET = ("builtins.print", "builtins.len", "builtins.isinstance", "builtins.type", "builtins.str", "builtins.repr")


class View(NamedTuple):
    """What a value holds of a layer's results (all, the steps, the pair of states, one state), and its axes."""

    what: str
    """result, steps, pair, state, one (a state's pick or one step), parts (pieces of the features)"""
    axes: tuple[str, ...] = ()
    """T time, B batch, P both packed, F features, L layers and directions, D directions, N layers, 1 a new axis"""
    part: str = ""
    """forward or backward: the half of the features"""
    step: int | None = None
    """of one step: its index"""
    repacked: bool = False
    """padded again after the layer: what lies behind the end of a sequence is zero"""
    cell: bool = False


class Pick(NamedTuple):
    """One use of a layer's results."""

    what: str
    at: Spot
    step: int | None = None
    """the index of the step or, on its first axis, of the state"""
    part: str = ""
    gathered: bool = False
    """picked at the known lengths"""
    repacked: bool = False
    final: bool = False
    """it is a state, not a step"""
    active: bool = True


class Shape(NamedTuple):
    """What must be known of a layer to understand its results."""

    kind: str
    batch_first: bool | None
    bidirectional: bool | None
    states: int | None
    """layers times directions"""

    @property
    def pair(self) -> bool:
        """Whether its state is a pair."""
        return self.kind.startswith("LSTM")

    def axes(self) -> tuple[str, ...]:
        """The axes of its output."""
        return () if self.batch_first is None else ("B", "T", "F") if self.batch_first else ("T", "B", "F")


class Picker:
    """Collects the picks of one layer's results."""

    def __init__(self, flow: Flow, shape: Shape, layer: set[int]) -> None:
        self.flow = flow
        self.shape = shape
        self.layer = layer
        """ids of the constructor calls that are this layer"""
        self.picks: list[Pick] = []
        self._seen: set[tuple[int, View]] = set()
        self._outside: dict[object, set[int]] = {}
        """of a cell: the turns of its loop whose results are used after the loop"""

    def misread(self, user: Term, final: bool = False) -> None:
        """A tuple was taken for a tensor, unless the code asks what it is."""
        if user.scope.active and not asked(user):
            self.pick("wrong-unpack", user, final=final)

    def _only_measured(self, user: Term) -> bool:
        """Whether a part is taken only to ask for its size."""
        found = self.flow.users(user)
        return bool(found) and all(
            isinstance(u, Term) and u.op in ("method", "attr") and u.name in NO_READ for u in found
        )

    def use(self, view: View, user: Term) -> None:
        self.pick("all-steps", user, repacked=view.repacked)

    def pick(
        self,
        what: str,
        user: Term,
        *,
        index: int | None = None,
        part: str = "",
        gathered: bool = False,
        repacked: bool = False,
        final: bool = False,
    ) -> None:
        if user.op == "item" and self._only_measured(user):
            return
        self.picks.append(Pick(what, user.at, index, part, gathered, repacked, final, user.scope.active))
