"""Records of params.yaml: what only goes wrong together is refused in one line."""

from dataclasses import replace

import pytest

from pipeline.config.records import Corpus, Engine, Run, Sound
from pipeline.errors import InputError
from pipeline.features.recipes import WaveformRecipe
from pipeline.models.training import EmotionTraining
from pipeline.settings import read

ENGINE = {"backend": "jax", "folds": "auto", "memory_mb": 100, "workers": "threads"}
RUN = {"model": "tim_net", "corpus": "demo", "data": "demo-mfcc39", "folds": "demo-random5"}
LEFT_OUT = WaveformRecipe(22050, "soxr_hq", "centre")  # its samples


def run(**line):
    """Read a line of runs; what it cannot state is made up."""
    known = {"waveform": "centred", "feature": "mfcc39", "protocol": "random5", "settings": {}}
    known |= {"engine": read(Engine, ENGINE, "engine"), "training": EmotionTraining()}
    return read(Run, RUN | line, "runs.one", name="one", **known)


def sound(recipe, **line):
    """Read a line of sounds."""
    line = {"corpus": "demo", "waveform": "centred"} | line
    return read(Sound, line, "sounds.mine", name="mine", recipe=recipe)


def test_what_a_line_may_leave_out():
    made = run()
    assert (made.selection, made.seeds, made.weights, made.start_from) == ("last", (0,), "", "")
    assert (made.pretrained_on, made.leaks, made.backend, made.parsers) == ((), (), "", ())
    corpus = read(Corpus, {"parser": "demo"}, "corpora.demo", name="demo", settings={})
    assert corpus == Corpus("demo", {}, "demo", None, False, {})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"seeds": []}, "seeds: wanted one or more, all different, got []"),
        ({"seeds": [1, 1]}, "seeds: wanted one or more, all different, got [1, 1]"),
        (
            {"weights": "a", "start_from": "models/b"},
            "start_from: a run with weights is not trained; leave one of them out",
        ),
    ],
    ids="none twice start".split(),
)
def test_a_run_that_cannot_be(line, message):
    with pytest.raises(InputError) as error:
        run(**line)
    assert str(error.value) == f"runs.one.{message}"


def test_a_sound_states_its_length_where_its_recipe_leaves_it_out_and_nowhere_else():
    assert sound(LEFT_OUT, samples=9).samples == 9
    with pytest.raises(InputError) as error:
        sound(LEFT_OUT)
    wanted = "sounds.mine.samples: missing; waveforms.centred leaves it out"
    assert str(error.value) == wanted
    for recipe in (replace(LEFT_OUT, samples=9), replace(LEFT_OUT, length="whole")):
        assert sound(recipe).samples is None
        with pytest.raises(InputError) as error:
            sound(recipe, samples=9)
        said = "sounds.mine.samples: waveforms.centred says it all; remove it here"
        assert str(error.value) == said


@pytest.mark.parametrize("where", ["threads", "processes", "tcp://host:8786"])
def test_workers_that_there_are(where):
    assert read(Engine, ENGINE | {"workers": where}, "engine").workers == where


def test_workers_that_there_are_not():
    with pytest.raises(InputError) as error:
        read(Engine, ENGINE | {"workers": "thread"}, "engine")
    assert str(error.value) == (
        "engine.workers: wanted threads, processes or tcp://HOST:PORT of a dask scheduler, got "
        "'thread'"
    )
