"""Stands in for torchvision where examples run: its pretrained networks would be downloaded, and tests have no network.

What is here has the shape of the real one: layers with batch normalisation, a pooling, and a dense layer at the end.
"""

from __future__ import annotations

from types import SimpleNamespace

from torch import nn


def _resnet18(weights: str | None = None) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 512, 7, stride=32), nn.BatchNorm2d(512), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Linear(512, 1000)
    )


models = SimpleNamespace(resnet18=_resnet18)
