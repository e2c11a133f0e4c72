"""Specs of made-up stores, for tests that do not compute what these say."""

from dataclasses import replace

from pipeline.files.spec import Spec, WaveformSpec

SOUND = WaveformSpec("mean", 16000, "soxr_hq", "whole", None, "none", 0.0, False, 0, {})


def spec(*, waveform=None, **changed):
    """Make a spec of a function that does not exist; ``waveform``: what differs from `SOUND`."""
    made = Spec(SOUND, "made.up", {}, "none", 0, 0, 0)
    return replace(made, waveform=replace(SOUND, **(waveform or {})), **changed)
