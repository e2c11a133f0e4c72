"""Progress: a bar on a terminal, lines elsewhere, nothing where nobody asked."""

import logging
import sys
import time

import pytest

from pipeline import progress


class Lines:
    """Lines that were written until now."""

    def __init__(self, caplog):
        self.caplog = caplog

    def __len__(self):
        return len(self.caplog.messages)

    def __getitem__(self, i):
        return self.caplog.messages[i]


@pytest.fixture
def lines(monkeypatch, caplog):
    """Let lines come at once, and give them."""
    monkeypatch.setattr(progress, "FIRST", 0.01)
    monkeypatch.setattr(progress, "EVERY", 0.01)
    caplog.set_level(logging.INFO, "pipeline")
    return Lines(caplog)


def wait_for(lines):
    """Wait for the next line."""
    before, last = len(lines), time.monotonic() + 10
    while len(lines) == before and time.monotonic() < last:
        time.sleep(0.005)


def test_lines_tell_counts_the_note_and_the_time_left(lines):
    with progress.showing(40, "train", "epochs", done=10) as work:
        wait_for(lines)
        assert lines[0] == "train: 10 of 40 epochs"
        work.begun -= 60
        work.update(20, "fold-02 epoch 10, loss 0.312")
        wait_for(lines)
    assert lines[-1] == "train: 30 of 40 epochs, fold-02 epoch 10, loss 0.312; 30 s left"
    ended = len(lines)
    time.sleep(0.05)
    assert len(lines) == ended


def test_what_was_done_before_says_nothing_of_the_speed(lines):
    with progress.showing(40, "train", "epochs") as work:
        work.skip(30)
        work.begun -= 50
        work.update(5)
        assert work.line() == "train: 35 of 40 epochs; 50 s left"


def test_the_first_line_comes_soon_and_then_one_a_minute():
    assert progress.FIRST <= 15
    assert progress.EVERY <= 60


@pytest.mark.parametrize(("title", "level"), [("", logging.INFO), ("train", logging.WARNING)])
def test_nothing_is_shown(lines, caplog, title, level):
    caplog.set_level(level, "pipeline")
    with progress.showing(3, title, "epochs") as work:
        work.update(3)
        time.sleep(0.05)
    assert len(lines) == 0


def test_a_bar_on_a_terminal_with_answers_above_it(monkeypatch, capsys, caplog):
    caplog.set_level(logging.INFO, "pipeline")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress.showing(2, "predict", "files") as work:
        work.update(1, "a.wav")
        work.print("a.wav happy")
        assert capsys.readouterr().out == "a.wav happy\n"
        work.update(1)
    said = capsys.readouterr().err
    assert "predict: 100%" in said
    assert "2/2" in said


def test_items_are_counted(lines):
    for i in progress.counted("abc", 3, "index", "clips"):
        if i == "c":
            wait_for(lines)
    assert lines[-1].startswith("index: 2 of 3 clips")
