"""What a model must hold, and what is said where it does not."""

import sys

import pytest

from pipeline import models
from pipeline.errors import InputError
from pipeline.models.training import (
    AttributeFit,
    AttributeTraining,
    EmotionFit,
    EmotionTraining,
)

FACTS = '''\
"""A model."""

from dataclasses import dataclass

from pipeline.models.training import EmotionTraining
from pipeline.settings import setting


@dataclass(frozen=True)
class Settings:
    """Settings of the network."""

    units: int = setting(8, "Units.", low=1)


TRAINING = EmotionTraining(epochs=3)
'''
BUILD = """

def build(input_shape, outputs, settings, seed):
    import keras

    return keras.Sequential([keras.Input(input_shape), keras.layers.Dense(settings.units)])
"""


@pytest.fixture
def drop(tmp_path, monkeypatch):
    """Give ``drop(facts, network)``: put a model ``mine`` where models are looked for."""
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path / "models")])

    def write(facts, network=None):
        folder = tmp_path / "models" / "mine"
        folder.mkdir(exist_ok=True, parents=True)
        (folder / "__init__.py").write_text(facts)
        if network is not None:
            (folder / "network.py").write_text(network)
        return folder

    yield write
    for name in [name for name in sys.modules if name.startswith("pipeline.models.mine")]:
        del sys.modules[name]
    if hasattr(models, "mine"):
        del models.mine


def refusal(function=models.facts):
    """Return what is said of the model ``mine``; it is one line."""
    with pytest.raises(InputError) as error:
        function("mine")
    message = str(error.value)
    assert len(message.splitlines()) == 1
    return message


def test_a_folder_in_place_makes_a_model(drop):
    assert "mine" not in models.names()
    drop(FACTS + BUILD)
    assert "mine" in models.names()
    facts = models.facts("mine")
    assert facts.settings() == facts.settings(units=8)
    assert facts.training == EmotionTraining(epochs=3)
    assert (facts.published, facts.published_sizes) == ((), ())
    model = models.network("mine").build((3,), 2, facts.settings(units=5), 0)
    assert model.output_shape == (None, 5)


def test_a_network_may_be_a_file_of_its_own(drop):
    drop(FACTS, "import keras\n" + BUILD)
    models.facts("mine")
    assert models.network("mine").build.__module__ == "pipeline.models.mine.network"


def test_all_models_have_facts_and_a_network():
    for name in models.names():
        facts = models.facts(name)
        if facts.classical:
            assert isinstance(facts.training, EmotionFit | AttributeFit)
            assert callable(models.estimator(name))
        else:
            assert isinstance(facts.training, EmotionTraining | AttributeTraining)
            assert callable(models.network(name).build)


NAMED = "pipeline/models/mine/__init__.py"
GUIDE = "see models/README.md"


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (FACTS, f"{NAMED}: wanted a function build(input_shape, outputs, settings, seed); {GUIDE}"),
        (
            FACTS + BUILD.replace(", seed)", ")"),
            f"{NAMED}: wanted build(input_shape, outputs, settings, seed), but too many positional "
            f"arguments; {GUIDE}",
        ),
        (
            FACTS.replace("class Settings", "class Setting") + BUILD,
            f"{NAMED}: wanted Settings, a frozen dataclass; {GUIDE}",
        ),
        (
            FACTS.replace("EmotionTraining(epochs=3)", "{'epochs': 3}") + BUILD,
            f"{NAMED}: wanted TRAINING, an EmotionTraining or AttributeTraining; {GUIDE}",
        ),
        (
            FACTS.replace("epochs=3", "epochs=0") + BUILD,
            f"{NAMED}: TRAINING.epochs: must be at least 1, got 0",
        ),
        (
            FACTS.replace("units: int", "batch: int") + BUILD,
            f"{NAMED}: Settings: batch is of TRAINING; choose another name",
        ),
        (
            FACTS.replace("epochs=3", "epoch=3"),
            f"{NAMED}: does not import, line 16: TypeError: EmotionTraining.__init__() got an "
            "unexpected keyword argument 'epoch'",
        ),
        (
            "def x(:",
            f"{NAMED}: does not import, line 1: SyntaxError: invalid syntax (__init__.py, line 1)",
        ),
        (
            "import nothing_of_this_name\n",
            f"{NAMED}: does not import, line 1: ModuleNotFoundError: No module named "
            "'nothing_of_this_name'",
        ),
        (
            FACTS.replace("EmotionTraining(epochs=3)", "EmotionFit()").replace(
                "EmotionTraining", "EmotionFit"
            ),
            f"{NAMED}: wanted a function estimator(settings, chosen, balance, dims); {GUIDE}",
        ),
        (
            FACTS + "\n\ndef check(settings):\n    pass\n" + BUILD,
            f"{NAMED}: wanted check(settings, training), but too many positional arguments; "
            f"{GUIDE}",
        ),
        (
            FACTS.replace("EmotionTraining", "AttributeTraining") + BUILD,
            f"{NAMED}: wanted a function with_clusters(model, clusters); {GUIDE}",
        ),
    ],
)
def test_what_is_wrong_with_a_model_is_one_line(drop, facts, message):
    drop(facts)
    assert refusal() == message


def test_a_network_without_build_is_refused_before_it_is_asked(drop):
    drop(FACTS, "import keras\n")
    models.facts("mine")
    assert refusal(models.network) == (
        "pipeline/models/mine/network.py: wanted a function "
        f"build(input_shape, outputs, settings, seed); {GUIDE}"
    )


def test_facts_load_no_backend(drop, monkeypatch):
    monkeypatch.delitem(sys.modules, "keras")
    drop("import keras\n" + FACTS + BUILD)
    assert refusal() == (
        f"{NAMED}: imports keras, but is read before a backend is chosen; import it inside build, "
        "or move the network to network.py next to it"
    )


def test_a_model_that_is_gone():
    assert refusal().startswith("no model 'mine'; ")


def test_a_single_file_in_place_makes_a_model(drop):
    single(drop, FACTS + BUILD)
    assert "mine" in models.names()
    assert models.facts("mine").training == EmotionTraining(epochs=3)
    model = models.network("mine").build((3,), 2, models.facts("mine").settings(units=5), 0)
    assert model.output_shape == (None, 5)
    assert refusal(models.read_published).startswith("weights: none of mine were published")


def test_what_is_wrong_with_a_single_file_is_one_line(drop):
    single(drop, FACTS)
    assert refusal() == (
        "pipeline/models/mine.py: wanted a function build(input_shape, outputs, settings, seed); "
        f"{GUIDE}"
    )


def test_a_single_file_that_does_not_import_is_one_line(drop):
    single(drop, "x = 1\ny = 1 / 0\n")
    assert refusal() == (
        "pipeline/models/mine.py: does not import, line 2: ZeroDivisionError: division by zero"
    )


def single(drop, source):
    """Put a model ``mine`` in place as a single file."""
    folder = drop(source)
    (folder / "__init__.py").rename(folder.with_suffix(".py"))
    folder.rmdir()


def test_weights_that_were_not_published(drop):
    drop(FACTS + BUILD)
    message = "weights: none of mine were published; leave weights out"
    assert refusal(models.read_published) == message
    assert callable(models.read_published("tim_net"))
