"""A small params.yaml, and how a mistake in it is answered."""

import pytest

from pipeline.errors import InputError

TEXT = """\
corpora:
  demo: {parser: demo}
waveforms:
  centred: {sample_rate: 22050, resampler: soxr_hq, length: centre}
features:
  mfcc39: {function: cepstral.mfcc, n_mfcc: 39}
protocols:
  random5: {kind: kfold, folds: 5, seed: 1, allow: [speaker, sentence]}
  speakers5: {kind: speakers, folds: 5, validation: 2, allow: [sentence]}
  loso: {kind: leave_one_speaker_out}
sounds:
  demo-centred: {corpus: demo, waveform: centred, samples: 55125}
data:
  demo-mfcc39: {sound: demo-centred, feature: mfcc39}
folds:
  demo-random5: {corpus: demo, protocol: random5}
runs:
  one: {model: tim_net, corpus: demo, data: demo-mfcc39, folds: demo-random5}
engine:
  backend: tensorflow
  folds: auto
  memory_mb: 100
  workers: threads
"""
ENGINE = TEXT[TEXT.index("engine:") :]
RATED = (
    TEXT.replace("tim_net", "deep_emo_cluster")
    .replace("length: centre", "length: whole")
    .replace(", samples: 55125", "")
    .replace("cepstral.mfcc, n_mfcc: 39", "spectral.mel, segment: 62, chunks: 11")
)


def refusal(read, text):
    """Return the message with which ``text`` is refused; it is one line."""
    with pytest.raises(InputError) as error:
        read(text)
    message = str(error.value)
    assert len(message.splitlines()) == 1
    assert message.startswith("params.yaml: ")
    return message.removeprefix("params.yaml: ")
