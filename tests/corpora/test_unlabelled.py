"""The parser of unlabelled sound."""

from pipeline.corpora import unlabelled
from pipeline.corpora.clip import Clip


def test_clips_are_named_by_their_paths_and_nothing_else_is_known(tmp_path):
    for name in ("b/10.wav", "b/9.wav", "a.b.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"sound")
    assert unlabelled.clips(tmp_path) == [
        Clip(clip="a.b", path=tmp_path / "a.b.wav"),
        Clip(clip="b-9", path=tmp_path / "b" / "9.wav"),
        Clip(clip="b-10", path=tmp_path / "b" / "10.wav"),
    ]
