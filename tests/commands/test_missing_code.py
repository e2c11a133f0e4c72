"""A bundle whose model or feature has no code here: one line that names both, in each command."""

from dataclasses import replace

import pytest

from pipeline.commands.export import export
from pipeline.commands.predict import predict
from pipeline.commands.verify import verify
from pipeline.errors import InputError
from pipeline.inference import cards
from pipeline.scoring.targets import Attributes
from tests import rated

MISSING = {
    "model": ({"model": "mine"}, "no model 'mine'; known: cpac, "),
    "feature": (
        {"spec": replace(rated.spec(), function="mine.level")},
        "no 'mine.level', for there is no pipeline/features/mine.py; known: cepstral.mfcc, ",
    ),
}


@pytest.mark.parametrize("part", MISSING)
@pytest.mark.parametrize("command", [predict, export, verify])
def test_code_that_is_missing_is_named_with_the_bundle(tmp_path, monkeypatch, command, part):
    monkeypatch.chdir(tmp_path)
    changed, message = MISSING[part]
    bundle = tmp_path / "models" / "own"
    cards.write(rated.card(bundle, Attributes(("arousal",)), **changed), bundle)
    (tmp_path / "a.wav").touch()
    given = {predict: {"sounds": [tmp_path / "a.wav"]}, export: {"to": tmp_path / "to"}, verify: {}}
    with pytest.raises(InputError) as error:
        command(bundle, **given[command])
    assert str(error.value).startswith(f"{bundle}: {message}")
    assert len(str(error.value).splitlines()) == 1
