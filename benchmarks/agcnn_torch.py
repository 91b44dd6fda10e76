"""AG-CNN in PyTorch, written from the paper's description: the other side of comparisons.

State-dictionary names are those of the published weights. Only where `torch` is installed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

TRUNK = (
    *(("1a", None), ("1b", 6), ("1c", 6), ("2a", 6), ("2b", 16), ("2c", 16), ("3a", 16)),
    *(("3b", 32), ("3c", 32), ("4a", 32), ("4b", 64)),
)
CHANNELS = {"1": 6, "2": 16, "3": 32, "4": 64}
LOOKS_AT = ("3c", "2c", "1c")
WIDTH = 64
PUBLISHED_PIXELS = 9 * 9  # of the last pooling, for an image of 150


class Gate(nn.Module):
    """One attention gate; returns the gated features and the map."""

    def __init__(self, channels: int, normalisation: str) -> None:
        super().__init__()
        self.theta = nn.Conv2d(channels, WIDTH, 1, bias=False)
        self.phi = nn.Conv2d(WIDTH, WIDTH, 1, bias=False)
        self.psi = nn.Conv2d(WIDTH, 1, 1)
        self.normalisation = normalisation

    def forward(self, x: torch.Tensor, g: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features (n, C, H, W) and coarse ones (n, 64, h, w)."""
        coarse = functional.interpolate(
            self.phi(g), x.shape[2:], mode="bilinear", align_corners=False
        )
        attention = self.normalised(self.psi(functional.relu(self.theta(x) + coarse)))
        return attention * x, attention

    def normalised(self, s: torch.Tensor) -> torch.Tensor:
        """The map of the scores; extremes over the whole batch, as published."""
        match self.normalisation:
            case "sigmoid":
                return torch.sigmoid(s)
            case "tanh":
                return torch.tanh(s)
            case "softmax":
                return torch.softmax(s.flatten(1), dim=1).view_as(s)
            case "std_mean_norm":
                return ((s - s.min()) / s.max() - 0.5) / 0.25
        return (s - s.min()) / (s.max() - s.min())


class AGCNN(nn.Module):
    """The network; `dead` adds the layers that published checkpoints hold and never use."""

    def __init__(
        self,
        gates: int = 3,
        normalisation: str = "range_norm",
        aggregation: str = "ft",
        *,
        dead: bool = False,
        channels: int = 1,
    ) -> None:
        super().__init__()
        self.gates, self.aggregation = gates, aggregation
        for name, before in TRUNK:
            after = CHANNELS[name[0]]
            setattr(self, f"conv{name}", nn.Conv2d(before or channels, after, 3, padding=1))
            setattr(self, f"bnorm{name}", nn.BatchNorm2d(after))
        widths = [CHANNELS[name[0]] for name in LOOKS_AT[:gates]]
        for number, width in enumerate(widths, start=1):
            setattr(self, f"attention{number}", Gate(width, normalisation))
        if gates and aggregation != "concat":
            self.classifiers = nn.ModuleList(nn.Linear(width, 2) for width in widths)
        if not gates:
            self.classifier = nn.Linear(WIDTH * PUBLISHED_PIXELS, 2)
        elif aggregation != "mean":
            self.classifier = nn.Linear(2 * gates if aggregation == "ft" else sum(widths), 2)
        if dead:
            self.fc1, self.fc2 = nn.Linear(400, 256), nn.Linear(256, 256)
            self.fc3 = nn.Linear(256, 2)

    def scores(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Scores (n, 2) and the maps (n, 1, H, W) of images (n, channels, H, W)."""
        ends = {}
        for name, _ in TRUNK:
            if name.endswith("a") and name != "1a":
                x = functional.max_pool2d(x, 2)
            convolved = getattr(self, f"conv{name}")(x)
            x = ends[name] = functional.relu(getattr(self, f"bnorm{name}")(convolved))
        if not self.gates:
            return self.classifier(functional.max_pool2d(x, 2).flatten(1)), []
        vectors, maps = [], []
        for number, name in enumerate(LOOKS_AT[: self.gates], start=1):
            gated, attention = getattr(self, f"attention{number}")(ends[name], x)
            vector = gated.sum(dim=(2, 3))
            vectors.append(functional.dropout(vector, 0.5, self.training and self.gates == 3))
            maps.append(attention)
        return self.aggregated(vectors), maps

    def aggregated(self, vectors: list[torch.Tensor]) -> torch.Tensor:
        """Scores from the pooled vectors."""
        joined = torch.cat(vectors, dim=1)
        if self.aggregation == "concat":
            return self.classifier(joined)
        pairs = zip(self.classifiers, vectors, strict=True)
        parts = [layer(vector) for layer, vector in pairs]
        if self.aggregation == "ft":
            return self.classifier(torch.cat([functional.relu(part) for part in parts], dim=1))
        if self.aggregation == "deep_sup":
            parts.append(self.classifier(joined))
        return torch.stack(parts).mean(dim=0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Probabilities (n, 2)."""
        return torch.softmax(self.scores(x)[0], dim=1)


def torch_steps(
    images: np.ndarray, threads: int
) -> tuple[Callable[[], object], Callable[[], object]]:
    """One training step (Adam) and one inference on `images` (n, height, width, channels)."""
    torch.set_num_threads(threads)
    model = AGCNN()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    x = torch.from_numpy(np.moveaxis(images, 3, 1).astype("float32").copy())
    labels = torch.arange(len(images)) % 2

    def training() -> float:
        model.train()
        optimizer.zero_grad()
        loss = functional.cross_entropy(model.scores(x)[0], labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    def inference() -> np.ndarray:
        model.eval()
        with torch.inference_mode():
            return model(x).numpy()

    return training, inference
