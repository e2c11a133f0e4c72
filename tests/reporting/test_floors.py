"""Floors in words."""

from tests.made_runs import (
    FLOORS,
    page_of,
    report,
    text_of,
    write_run,
)


def test_a_run_below_a_floor_is_marked_so_wherever_it_stands(reports):
    write_run(reports, "floored", right=0.6, floors=FLOORS)
    higher = FLOORS["floors"] | {"svm": {"uar": 0.3, "war": 0.3}}
    wrong = FLOORS["shuffled"] | {"uar": 0.5}
    write_run(*(reports, "above"), right=0.6, floors=FLOORS | {"floors": higher, "shuffled": wrong})
    report(reports, ["floored", "above"])
    summary_ = (reports / "summary.md").read_text()
    floors = "| majority 12.5, length 20.0, svm 65.1; **UAR below svm** |"
    assert sum(floors in line for line in summary_.splitlines()) == 1
    assert "| majority 12.5, length 20.0, svm 30.0 |" in summary_
    text = text_of(page_of(reports))
    assert text.count("✗ UAR below svm") == 3  # in the figure, the table and at the run
    assert "feature ✗ 65.1 59.0" in text
    assert "UAR 13.0 ± 1.0 over 5 draws; chance is 12.5." in text
    assert "UAR 50.0 ± 1.0 over 5 draws; chance is 12.5: it did not fall to chance." in text
    assert "name the speaker, of 6, in 93 % of clips (chance: 17 %)" in text
