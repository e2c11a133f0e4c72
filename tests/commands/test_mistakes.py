"""Mistakes: a page that holds the sound of what it shows, and no more than asked for."""

import io
import re
import shutil

import pandas as pd
import pytest
import soundfile

from pipeline.commands.mistakes import mistakes
from pipeline.errors import InputError
from pipeline.files import compressed
from tests.made_runs import text_of, write_rated, write_run

pytestmark = pytest.mark.slow


@pytest.fixture
def here(finished, monkeypatch):
    """Stand in a project in which a run went through."""
    monkeypatch.chdir(finished)
    return finished


def test_a_page_of_clips_that_can_be_played(here, tmp_path, capsys):
    mistakes("tiny", tmp_path / "m.html", clips=2)
    markup = (tmp_path / "m.html").read_text()
    assert not re.search(r"http|<link|<script|url\((?!#)", markup)
    sounds = dict(re.findall(r'src="data:audio/mpeg;base64,([^"]*)" aria-label="([^",]*)', markup))
    sounds = {clip: content for content, clip in sounds.items()}
    table = pd.read_csv("reports/runs/tiny/predictions.csv").set_index("clip")
    index = pd.read_csv("features/corpora/demo/index.csv").set_index("clip")
    assert 5 < len(sounds) <= 10
    assert (table.loc[[*sounds]].label != table.loc[[*sounds]].predicted).all()
    for clip, content in sounds.items():
        held = io.BytesIO(compressed.base64.b64decode(content))
        seconds = soundfile.info(held).duration
        assert seconds == pytest.approx(index.seconds[clip], abs=0.1)
    seen = text_of(markup)
    assert re.search(r"\w+ taken for \w+ \d+ predictions, [\d.]+ % of those of its clips", seen)
    assert "Who passes this page on passes on clips of it." in seen
    assert capsys.readouterr().out.endswith(f"{len(sounds)} of {len(sounds)} clips can be played\n")


def test_a_page_is_no_larger_than_asked_for(here, tmp_path, capsys):
    mistakes("tiny", tmp_path / "m.html", most_mb=0.04)
    markup = (tmp_path / "m.html").read_text()
    assert 0 < markup.count("<audio") < 5
    assert "left out: the page would be too large" in markup
    assert len(markup) < 80_000
    assert re.search(r" [1-4] of \d+ clips can be played\n", capsys.readouterr().out)


def test_what_cannot_be_played_is_refused(here, tmp_path, monkeypatch):
    page = tmp_path / "m.html"
    with pytest.raises(InputError, match=r"tinny: no such run in reports.runs; did you mean tiny"):
        mistakes("tinny", page)
    with pytest.raises(InputError, match="clips: must be at least 1, got 0"):
        mistakes("tiny", page, clips=0)
    with pytest.raises(InputError, match="most_mb: must be above 0, got 0"):
        mistakes("tiny", page, most_mb=0)
    away = tmp_path / "away"
    shutil.copytree("reports/runs/tiny", away / "reports/runs/tiny")
    write_rated(away / "reports/runs", "rated")
    write_run(away / "reports/runs", "right", right=1.0)
    monkeypatch.chdir(away)
    with pytest.raises(InputError, match="rated: predicts attributes; wanted a run on emotions"):
        mistakes("rated", page)
    with pytest.raises(InputError, match="right: takes no clip for another emotion"):
        mistakes("right", page)
    with pytest.raises(InputError, match=r"demo/index\.csv: no such file"):
        mistakes("tiny", page)
    shutil.copytree(here / "features/corpora", away / "features/corpora")
    with pytest.raises(InputError, match=r"raw_data/demo/wav/.*\.wav: "):
        mistakes("tiny", page)
    assert not page.exists()
