"""Small networks and images for the tests of maps."""

import keras
import numpy as np

from benchmarker.networks import registry

SIDE = 24


class Prepared:
    """Prepared images that need no scaling."""

    def __init__(self, images, preparation=None):
        self.images = images
        self.preparation = preparation

    def __len__(self):
        return len(self.images)

    def read(self, rows):
        return self.images[rows]


def small_agcnn(**settings):
    return registry.build("agcnn", (SIDE, SIDE, 1), 2, seed=3, **settings)


def noise(count, side=SIDE, seed=1):
    rng = np.random.default_rng(seed)
    return rng.random((count, side, side, 1)).astype(np.float32)


def linear_network(side=8, channels=3, classes=2, activation=None, seed=5):
    """Convolution, global average pooling, dense softmax: Grad-CAM is known for it."""
    rng = np.random.default_rng(seed)
    image = keras.Input((side, side, 1))
    features = keras.layers.Conv2D(channels, 3, padding="same", name="features")(image)
    if activation:
        features = keras.layers.Activation(activation, name="active")(features)
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(features)
    dense = keras.layers.Dense(classes, activation="softmax", name="dense")
    model = keras.Model(image, dense(pooled), name="linear")
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    return model
