"""Speech emotion recognition, from raw corpora to reports.

The flow, as dvc.yaml calls it::

    raw_data/C --index--> index.csv --split--> folds/P.csv ---------+
        |                    |                                      |
        +----waveforms-------+--> waveforms.zarr --extract--> F.zarr +--train--> models/RUN
                                                                    |               |
                            reports/index.html <--report-- reports/runs/RUN <--evaluate

C a corpus, P a protocol, F a feature, RUN a line of ``runs`` in params.yaml. The folders:

stages      what dvc.yaml calls, one verb a file: demo index split waveforms extract train ...
commands    what a person calls: predict export import progress compare verify record ...
config      what params.yaml may say, and its only reader
corpora     one file a corpus: which clips there are, and what their names say of them
audit       what is found in a corpus: facts of each signal, near-duplicates
protocols   who trains and who is tested, and what leaks from one to the other
features    from sound to tensor, and the recipes that chain the steps
models      one file a published system
engine      how a model is trained, on emotions or attributes
inference   a trained model and a sound: bundles read, inputs made, exported files
scoring     what is predicted, its metrics and their intervals
reporting   results read, figures and the page
files       everything that knows a file format

What goes from one to the other is typed: a ``Clip`` (corpora/clip.py) to the index, the ``Index``
(files/index.py), the ``Spec`` that made a store (files/spec.py), the ``Target`` of a run, emotions
or attributes (scoring/target.py), and the ``Card`` of a bundle (inference/cards.py).

``errors``, ``text`` (words of messages), ``order`` (of names), ``lazy`` (numpy, when it is used),
``progress`` (of long work), ``quiet`` (libraries that write past Python), ``settings`` (fields with
types and bounds), ``plugins`` (parts found by file name), ``workers`` and ``parallel`` (work over
clips and folds) and ``commandline`` serve them all. A file imports from floors below its own, from
its own folder, and nothing else; tests/test_house.py reads ``FLOORS``.
"""

FLOORS = (
    "errors text order lazy",
    "progress quiet settings plugins workers",
    "files",
    "scoring",
    "parallel features audit",
    "corpora protocols models",
    "engine",
    "inference reporting",
    "config",
    "stages commands",
    "commandline",
    "__main__",
)
