"""What repeats bit for bit, and what the record says of the rest."""

import os
import subprocess
import sys

from benchmarker.runs.determinism import differences, environment
from tests.runs.commands import ROOT

# features that go to a gate, to a sum and on to the next layer have three gradients; with
# operations side by side the results change from step to step at this size
MEETING = """
import numpy as np, tensorflow as tf
from benchmarker.runs.determinism import set_determinism
set_determinism(1, 2)
from benchmarker.networks import registry
from benchmarker.runs.scores import score_head
model = score_head(registry.build("agcnn", (150, 150, 1), 2, seed=1))
images = tf.constant(np.random.default_rng(0).random((16, 150, 150, 1), dtype="float32"))

@tf.function
def step():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(images)))
    return tape.gradient(loss, model.trainable_variables)

print(len({b"".join(g.numpy().tobytes() for g in step()) for _ in range(10)}))
"""


def test_gradients_that_meet_repeat_on_two_threads():
    done = subprocess.run(
        [sys.executable, "-c", MEETING], capture_output=True, text=True, check=False,
        env={**environment(2), "PYTHONPATH": str(ROOT)}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "1"


def test_differences_are_named_by_what_they_are_of():
    recorded = {"threads": 2, "packages": {"keras": "3"}, "gone": 1}
    here = {"threads": 1, "packages": {"keras": "3"}, "gone": None, "new": "x"}
    assert differences(recorded, here) == [
        "gone: 1 recorded, None here",
        "new: None recorded, x here",
        "threads: 2 recorded, 1 here",
    ]
    assert differences(recorded, dict(recorded)) == []


def test_the_environment_keeps_what_the_user_set_and_fixes_the_rest():
    before = os.environ.get("KERAS_BACKEND")
    found = environment(3)
    assert (found["OMP_NUM_THREADS"], found["PYTHONHASHSEED"]) == ("3", "0")
    assert found["KERAS_BACKEND"] == (before or "tensorflow")
