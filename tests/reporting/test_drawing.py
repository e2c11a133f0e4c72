"""Drawing: inline SVG in the colours of the page."""

from pipeline.reporting import drawing


def test_figures_keep_what_they_say_and_take_the_colours_of_the_page():
    def draw(axes):
        axes.plot([0, 1], [0, 1], color="#1b5e78")
        axes.text(0, 0, "0.12345 #1b5e78")

    markup = drawing.drawing(draw, 'a "b"', 100)
    assert ">0.12345 #1b5e78</text>" in markup
    assert "stroke: var(--accent)" in markup
    assert markup.startswith('<svg viewBox="0 0 360 100" role="img" aria-label="a &#34;b&#34;">')
