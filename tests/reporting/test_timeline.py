"""Pictures of how an answer goes over a recording."""

import pandas as pd
import pytest

from pipeline.reporting import timeline
from pipeline.scoring.targets import Attributes, Emotions

WINDOWS = {"start": [0.0, 1.0, 2.0], "end": [2.0, 3.0, 4.0]}
SOUGHT = [
    (Emotions(("angry", "sad")), {"p_angry": [0.9, 0.5, 0.1], "p_sad": [0.1, 0.5, 0.9]}),
    (Attributes(("arousal",)), {"arousal": [1.0, 2.0, 3.0]}),
]


@pytest.mark.parametrize(("target", "answers"), SOUGHT)
def test_a_picture_is_written_and_depends_on_the_answers_alone(tmp_path, target, answers):
    pictures = [tmp_path / f"{n}.png" for n in range(3)]
    turned = {name: values[::-1] for name, values in answers.items()}
    for picture, given in zip(pictures, (answers, answers, turned), strict=True):
        timeline.draw(target, pd.DataFrame(WINDOWS | given), picture)
    first, again, other = (picture.read_bytes() for picture in pictures)
    assert first.startswith(b"\x89PNG")
    assert first == again
    assert first != other
