"""Steps of the engine against Keras's own and the authors', on both backends."""

import numpy as np


def test_epochs_are_those_of_keras(lab):
    found = lab["parity"]
    np.testing.assert_allclose(found["ours"], found["keras"], rtol=1e-6)
    assert found["ours"][0] > found["ours"][-1]
    for role, (difference, way) in found["weights"].items():
        if not role.endswith(("conv1.bias", "conv2.bias")):  # only rounding moves them
            assert difference < 1e-2 * way, role


def test_losses_of_the_authors_code(lab):
    np.testing.assert_allclose(lab["golden"]["found"], lab["golden"]["wanted"], rtol=1e-4)
