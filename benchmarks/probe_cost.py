"""CPU time of a training step with the probe's instruments, as a multiple of the same step without them.

    python benchmarks/probe_cost.py [PAIRS]

Runs of 200 steps with and without instruments take turns in one process, on one thread, each pair in an order drawn
anew. The ratio is the geometric mean over the pairs, with the interval that holds it in 95 of 100 such experiments.
What the probe does once (its first steps, the questions it puts to a copy of the model) is included.
"""

from __future__ import annotations

import math
import random
import statistics
import sys
import time

import torch
from torch import nn

from lstmadvisor.probe.attach import Attached
from lstmadvisor.probe.observer import Enough, Observer

STEPS = 200
STUDENT = {4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 11: 2.201, 14: 2.145, 19: 2.093, 29: 2.045}
"""97.5th percentile of Student's t, by degrees of freedom"""


class Forecaster(nn.Module):
    """A recurrent net as people write it."""

    def __init__(self, kind: type[nn.RNNBase], features: int, units: int, layers: int) -> None:
        super().__init__()
        self.rnn = kind(features, units, num_layers=layers, batch_first=True)
        self.head = nn.Linear(units, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One number for each sequence."""
        out: torch.Tensor = self.rnn(x)[0]
        result: torch.Tensor = self.head(out[:, -1])
        return result


class Case:
    """A model and its data."""

    def __init__(self, name: str, limit: float, kind: type[nn.RNNBase], sizes: tuple[int, int, int, int, int]) -> None:
        """`sizes`: sequences, time steps, features, units, layers."""
        batch, time_steps, features, units, layers = sizes
        self.name, self.limit = name, limit
        self.kind, self.sizes = kind, (features, units, layers)
        generator = torch.Generator().manual_seed(0)
        self.x = torch.randn(batch, time_steps, features, generator=generator)
        self.y = self.x.mean(dim=(1, 2)).unsqueeze(1)

    def seconds(self, measured: bool) -> float:
        """CPU seconds of one run."""
        model = Forecaster(self.kind, *self.sizes)
        optimizer = torch.optim.Adam(model.parameters())
        records: list[object] = []
        observer = Observer(records.append, limit=STEPS)
        attached = Attached(observer)
        started = time.process_time()
        if measured:
            attached.torch(torch)
        try:
            for _ in range(STEPS):
                optimizer.zero_grad()
                loss = nn.functional.mse_loss(model(self.x), self.y)
                loss.backward()
                optimizer.step()
        except Enough:
            observer.finish()
        attached.remove()
        return time.process_time() - started


def ratios(case: Case, pairs: int) -> tuple[list[float], float]:
    """The ratio of each pair, and the seconds of a bare step."""
    for measured in (False, True):
        case.seconds(measured)
    found, bare = [], []
    for _ in range(pairs):
        order = [False, True]
        random.shuffle(order)
        spent = {measured: case.seconds(measured) for measured in order}
        found.append(spent[True] / spent[False])
        bare.append(spent[False] / STEPS)
    return found, statistics.median(bare)


def main(pairs: int) -> int:
    """Prints a line for each case; 1 if one is above its limit."""
    torch.set_num_threads(1)
    cases = (
        Case("LSTM, 2 ms", 1.15, nn.LSTM, (16, 32, 4, 64, 1)),
        Case("GRU, 2 layers, 6 ms", 1.15, nn.GRU, (16, 24, 4, 48, 2)),
        Case("LSTM, 2 layers, 50 ms", 1.05, nn.LSTM, (32, 72, 16, 160, 2)),
    )
    above = 0
    for case in cases:
        found, step = ratios(case, pairs)
        logs = [math.log(ratio) for ratio in found]
        mean = statistics.fmean(logs)
        quantile = STUDENT.get(pairs - 1, 2.0 if pairs > 30 else 2.8)
        half = quantile * statistics.stdev(logs) / math.sqrt(pairs)
        low, middle, high = (math.exp(value) for value in (mean - half, mean, mean + half))
        verdict = "holds" if middle <= case.limit else "above"
        above += middle > case.limit
        print(
            f"{case.name:<22} step {step * 1000:5.1f} ms bare   x {middle:.3f} [{low:.3f}, {high:.3f}]   "
            f"limit {case.limit} {verdict}   ({pairs} pairs)",
            flush=True,
        )
    return int(above > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10))
