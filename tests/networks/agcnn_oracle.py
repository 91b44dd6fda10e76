"""The forward pass of AG-CNN in plain NumPy float64, from the paper's formulae, as an oracle."""

import numpy as np

TRUNK = ("1a", "1b", "1c", "2a", "2b", "2c", "3a", "3b", "3c", "4a", "4b")


def values(model):
    """``conv1a/kernel`` -> float64 array, for every weight of a model."""
    return {
        weight.path.removeprefix(f"{model.name}/"): np.asarray(weight, dtype=np.float64)
        for weight in model.weights
    }


def shake(model, seed=3):
    """Weights and running statistics as after a training: no zeros, no ones."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        old = np.asarray(weight)
        if weight.path.endswith("moving_variance"):
            weight.assign(rng.uniform(0.3, 3, old.shape))
        elif "seed_generator" not in weight.path:
            weight.assign(old + 0.1 * rng.normal(size=old.shape))
    return model


def convolve(x, kernel, bias):
    reach = kernel.shape[0] // 2
    padded = np.pad(x, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2], axis=(1, 2))
    return np.einsum("nhwcij,ijco->nhwo", windows, kernel, optimize=True) + bias


def pool(x):
    n, height, width, channels = x.shape
    even = x[:, : height // 2 * 2, : width // 2 * 2]
    return even.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))


def upsample(g, height, width):
    """Each output pixel by the formula, one at a time."""
    out = np.empty((len(g), height, width, g.shape[-1]))
    for i in range(height):
        for j in range(width):
            y = min(max((i + 0.5) * g.shape[1] / height - 0.5, 0), g.shape[1] - 1)
            x = min(max((j + 0.5) * g.shape[2] / width - 0.5, 0), g.shape[2] - 1)
            top, left = int(y), int(x)
            bottom, right = min(top + 1, g.shape[1] - 1), min(left + 1, g.shape[2] - 1)
            v, u = y - top, x - left
            out[:, i, j] = (1 - v) * ((1 - u) * g[:, top, left] + u * g[:, top, right])
            out[:, i, j] += v * ((1 - u) * g[:, bottom, left] + u * g[:, bottom, right])
    return out


def normalise(s, rule, over):
    """Maps of scores (n, H, W, 1) by the table of the paper."""
    if over == "image":
        return np.stack([normalise_block(one[None], rule)[0] for one in s])
    return normalise_block(s, rule)


def normalise_block(s, rule):
    if rule == "sigmoid":
        return 1 / (1 + np.exp(-s))
    if rule == "tanh":
        return np.tanh(s)
    if rule == "softmax":
        powers = np.exp(s - s.max(axis=(1, 2, 3), keepdims=True))
        return powers / powers.sum(axis=(1, 2, 3), keepdims=True)
    if rule == "range_norm":
        return (s - s.min()) / (s.max() - s.min())
    return ((s - s.min()) / s.max() - 0.5) / 0.25


def forward(model, images, settings):
    """Scores (n, classes) and the list of maps, of a model in evaluation mode."""
    w = values(model)
    x, ends = np.asarray(images, dtype=np.float64), {}
    for name in TRUNK:
        if name.endswith("a") and name != "1a":
            x = pool(x)
        x = convolve(x, w[f"conv{name}/kernel"], w[f"conv{name}/bias"])
        scale = w[f"bnorm{name}/gamma"] / np.sqrt(w[f"bnorm{name}/moving_variance"] + 1e-5)
        x = (x - w[f"bnorm{name}/moving_mean"]) * scale + w[f"bnorm{name}/beta"]
        x = ends[name] = np.maximum(x, 0)
    if settings["gates"] == 0:
        flat = pool(x).transpose(0, 3, 1, 2).reshape(len(x), -1)
        return apply(w, "scores", flat), []
    vectors, maps = [], []
    for number, end in enumerate(("3c", "2c", "1c")[: settings["gates"]], start=1):
        vector, attention = gate(w, f"gate{number}", ends[end], x, settings)
        vectors.append(vector)
        maps.append(attention)
    return aggregate(w, vectors, settings["aggregation"]), maps


def gate(w, name, fine, coarse, settings):
    p = upsample(coarse @ w[f"{name}/phi"], *fine.shape[1:3])
    compared = np.maximum(fine @ w[f"{name}/theta"] + p, 0)
    scores = compared @ w[f"{name}/psi"] + w[f"{name}/bias"]
    a = normalise(scores, settings["normalisation"], settings["maps_over"])
    total = (a * fine).sum(axis=(1, 2))
    divisor = {"sum": 1, "mean": fine.shape[1] * fine.shape[2], "weighted": a.sum(axis=(1, 2))}
    return total / divisor[settings["pooling"]], a


def apply(w, name, x):
    return x @ w[f"{name}/kernel"] + w[f"{name}/bias"]


def aggregate(w, vectors, rule):
    joined = np.concatenate(vectors, axis=1)
    if rule == "concat":
        return apply(w, "scores", joined)
    parts = [apply(w, f"classifier{i}", vector) for i, vector in enumerate(vectors, start=1)]
    if rule == "ft":
        return apply(w, "scores", np.concatenate([np.maximum(p, 0) for p in parts], axis=1))
    if rule == "deep_sup":
        parts.append(apply(w, "classifier", joined))
    return np.mean(parts, axis=0)
