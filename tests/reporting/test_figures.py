"""Figures of training and of ratings."""

import re

from pipeline.reporting import figures
from pipeline.reporting.page import page
from pipeline.reporting.results import read_run
from tests.made_runs import (
    FLOORS,
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


def test_floors_are_drawn_in_the_overview_and_a_run_below_one_says_so(tmp_path):
    low = FLOORS | {"floors": FLOORS["floors"] | {"svm": {"uar": 0.3, "war": 0.3}}}
    above = read_run(write_run(tmp_path, "above", right=0.6, floors=low))
    below = read_run(write_run(tmp_path, "below", right=0.6, floors=FLOORS))
    before = read_run(write_run(tmp_path, "before", right=0.6))

    def triangles(drawn):
        return sum("z" in d.lower() and d.lower().count("l") == 2 for d in paths(drawn))

    drawn = figures.overview([above])
    assert triangles(drawn) == 2  # of the length and of the SVM; each is used twice
    assert drawn.count("<use") - figures.overview([before]).count("<use") == 4
    assert "floors majority 12.5, length 20.0, svm 30.0" in drawn
    assert "✗" not in drawn
    drawn = figures.overview([below])
    assert ">✗ UAR below svm<" in drawn
    assert drawn.count("stroke-width: 7") == 2  # what is below a floor is shaded
    drawn = figures.overview([before])
    assert "stroke-width: 7" not in drawn
    assert "floors" not in drawn
    keys = "Floors: chance, majority class clip length SVM on the feature below one"
    assert keys in text_of(page([above, before], []))
    assert "SVM on the feature" not in text_of(page([before], []))


def paths(drawn):
    return re.findall(r' d="([^"]*)"', drawn)
