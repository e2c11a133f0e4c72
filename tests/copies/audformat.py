"""A database in audformat, as the library saves it with tables in CSV."""

from itertools import product
from pathlib import Path

from tests.copies import File, spread
from tests.copies.sound import noise

NEEDS = "audformat"
HEADER = """\
name: mine
source: ''
usage: unrestricted
languages: [eng]
raters:
  gold: {type: human}
schemes:
  arousal: {dtype: float, minimum: 0, maximum: 1}
  emotion:
    dtype: str
    labels: [anger, neutral, sadness]
  speaker:
    dtype: str
    labels:
      s1: {gender: female}
      s2: {gender: male}
  transcription: {dtype: str}
splits:
  dev: {type: dev}
  train: {type: train}
tables:
  emotion.dev:
    type: filewise
    split_id: dev
    columns:
      emotion: {scheme_id: emotion, rater_id: gold}
      arousal: {scheme_id: arousal, rater_id: gold}
  emotion.train:
    type: filewise
    split_id: train
    columns:
      emotion: {scheme_id: emotion, rater_id: gold}
      arousal: {scheme_id: arousal, rater_id: gold}
  files:
    type: filewise
    columns:
      speaker: {scheme_id: speaker}
      transcription: {scheme_id: transcription}
"""


def write(folder: Path, clips: int | None = None) -> None:
    """Write two people saying four sentences in three emotions, 24 clips; one is for training."""
    names = product(("s1", "s2"), range(4), ("anger", "neutral", "sadness"))
    files = [File(f"wav/{who}_{text}_{emotion}.wav", emotion, who) for who, text, emotion in names]
    tables = {
        "files": "file,speaker,transcription\n",
        "emotion.dev": "file,emotion,arousal\n",
        "emotion.train": "file,emotion,arousal\n",
    }
    for file in spread(files, clips):
        noise(folder / file.path, file.seed)
        tables["files"] += f"{file.path},{file.speaker},text {Path(file.path).stem.split('_')[1]}\n"
        split = "train" if file.speaker == "s1" else "dev"
        tables[f"emotion.{split}"] += f"{file.path},{file.emotion},0.25\n"
    (folder / "db.yaml").write_text(HEADER)
    for name, text in tables.items():
        (folder / f"db.{name}.csv").write_text(text)
