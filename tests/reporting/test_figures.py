"""Figures of training and of ratings."""

import re

from pipeline.reporting import figures
from pipeline.reporting.page import page
from pipeline.reporting.results import read_run
from tests.made_runs import (
    text_of,
    write_rated,
    write_run,
)


def test_seeds_are_drawn_apart(tmp_path):
    folder = write_run(tmp_path, "a", folds=2, epochs=3)
    head, *rows = (folder / "history.csv").read_text().splitlines()
    again = [row.replace(",0,", ",1,", 1) for row in rows]
    (folder / "history.csv").write_text("\n".join([head, *rows, *again]) + "\n")
    drawn = dict((curve.title, svg) for curve, svg in figures.curves(read_run(folder)))
    assert drawn["Loss"].count("stroke-width: 0.5") == 4  # two folds under two seeds


def test_a_scatter_stays_small(tmp_path):
    many = read_run(write_rated(tmp_path, "a", clips=2000))
    drawn = figures.scatter(many, many.measures[0])
    path = max(re.findall(r' d="([^"]*)"', drawn), key=len)
    assert path.count("M") == figures.POINTS
    assert len(drawn) < 40_000
    assert "600 of 2000 predictions, evenly taken" in text_of(page([many], []))
    few = read_run(write_rated(tmp_path, "b", clips=50))
    assert max(re.findall(r' d="([^"]*)"', figures.scatter(few, few.measures[0])),
               key=len).count("M") == 50  # fmt: skip
    assert "evenly taken" not in text_of(page([few], []))


def test_losses_are_drawn_that_were_measured(tmp_path):
    folder = write_rated(tmp_path, "a", attributes=["valence"])
    drawn = {curve.title: curve.lines for curve, _ in figures.curves(read_run(folder))}
    assert list(drawn) == ["Losses", "CCC valence", "NMI"]
    assert [line.words for line in drawn["Losses"]] == ["sum", "attributes", "clusters"]
    head, *rows = (folder / "history.csv").read_text().splitlines()
    rows = [f"{row},0.9,1.8" for row in rows]
    head += ",triplet_loss,unlabeled_loss"
    (folder / "history.csv").write_text("\n".join([head, *rows]) + "\n")
    (losses, svg), *_ = figures.curves(read_run(folder))
    assert [line.words for line in losses.lines[3:]] == ["triplets", "unlabelled clips"]
    assert "stroke-dasharray" in svg


def test_clusters_are_drawn_by_size(tmp_path):
    folder = write_rated(tmp_path, "a")
    rows = ["fold,seed,epoch,loss,cluster_01,cluster_02,cluster_03", "1,0,1,1,10,20,70",
            "1,0,2,1,0,100,0", "2,0,1,1,30,10,60", "2,0,2,1,100,0,0"]  # fmt: skip
    (folder / "history.csv").write_text("\n".join(rows) + "\n")
    words = "from the largest to the smallest: 65 to 10 at first, 100 to 0 at the end"
    assert words in figures.clusters(read_run(folder))
    assert figures.clusters(read_run(write_run(tmp_path, "b"))) is None
