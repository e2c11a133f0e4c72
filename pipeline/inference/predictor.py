"""A trained model that is held ready for questions: from Python, and for ``ser predict``.

::

    with load("models/tim_net-demo") as predictor:
        predictor("a.wav")  # {"angry": 0.99, "boredom": 0.0, ...}
        predictor("long.wav").unlike  # ("61.0 s long, of training clips 1.4 to 3.7",)
        predictor(samples, 16000)  # an array of samples and its rate
        predictor(["a.wav", io.BytesIO(content), (samples, 16000)])  # a list of answers
        for one in predictor.windows("hour.wav", window=2.5, hop=1):  # as they come
            one.start, one.end, one.answer  # 0.0, 2.5, {"angry": 0.99, ...}
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar, overload

import numpy as np

from pipeline.engine import backend
from pipeline.errors import InputError
from pipeline.inference import cards, exported, inputs, limits, models, sounds
from pipeline.inference.cards import Card, FoldModel
from pipeline.inference.inputs import Input
from pipeline.inference.limits import Limits
from pipeline.inference.sounds import Sound

# Of what models take of clips the answers (clips, outputs), and how far off the vector of each clip
# is, as a fraction of the limit (clips,), if that is known.
Ask = Callable[[list[np.ndarray]], tuple[np.ndarray, np.ndarray | None]]
AnySound = TypeVar("AnySound", bound=Sound)
AT_ONCE = 16  # clips that are asked together: as many as a model computes in one batch


class Answer(dict[str, float]):
    """Probability of each label, or value of each attribute, in the order of the outputs.

    Attributes
    ----------
    unlike : tuple of str
        In what the sound is unlike those that the model was trained on, in words; empty where it is
        in nothing, or the bundle was made without limits.
    """

    unlike: tuple[str, ...] = ()


class Window(NamedTuple):
    """A window of a sound, answered as a sound of its own."""

    start: float  # in seconds
    end: float
    answer: Answer | None  # None of an empty one
    empty: str  # why it holds no sound


class Predictor:
    """Models of a bundle, or a file exported from it, held in memory; threads may share it.

    Parameters
    ----------
    card : Card
        Card of the bundle.
    fused : bool
        Whether the model takes sound in place of features.
    read : callable
        Reads the models, and gives a function from what they take of clips, each (frames, ...) or
        (samples,), to answers (clips, outputs) and how far off they are.
    known : Limits, optional
        What the models were trained on.
    """

    def __init__(
        self, card: Card, fused: bool, read: Callable[[], Ask], known: Limits | None = None
    ) -> None:
        self.card, self.fused, self.known = card, fused, known
        self._read: Callable[[], Ask] | None = read
        self._ask: Ask | None = None
        self._lock = threading.Lock()

    @overload
    def __call__(self, sound: Sound, sample_rate: float | None = None) -> Answer: ...

    @overload
    def __call__(self, sound: list[AnySound], sample_rate: float | None = None) -> list[Answer]: ...

    def __call__(self, sound: Any, sample_rate: float | None = None) -> Any:
        """Name the emotion or the attributes of a sound, or of each in a list.

        Parameters
        ----------
        sound : Path, str, binary file, ndarray, (ndarray, sample rate), or a list of these
            A sound file; a file opened for reading bytes, such as io.BytesIO; or samples, shape
            (samples,) or (samples, channels): floats of full scale 1.0, or integers of 8, 16 or 32
            bits with the full scale of their type. At least 0.1 s of it, and not silent.
        sample_rate : number, optional
            Rate of an array, or of the arrays in a list, in hertz: a whole number from 2000 to
            768000. Files state their own.

        Returns
        -------
        Answer, or a list of them
            A dictionary: probability of each label, or the value of each attribute, in the order of
            the model's outputs; ``unlike`` says in what the sound is unlike the training.

        Raises
        ------
        InputError
            If the sound cannot be used; of a list all that cannot are named, by their places from
            0, and none is answered. If the predictor was closed.
        """
        many = isinstance(sound, list)
        taken, problems = [], []
        for place, one in enumerate(sound if many else [sound]):
            of_arrays = sample_rate if not many or isinstance(one, np.ndarray) else None
            try:
                settings: dict[str, Any] = {"sample_rate": of_arrays, "fused": self.fused}
                taken.append(inputs.read(one, self.card, **settings))
            except InputError as error:
                problems.append(f"[{place}] {error}" if many else str(error))
        if problems:
            raise InputError("; ".join(problems))
        found = self._answers(taken)
        return found if many else found[0]

    def windows(
        self,
        sound: Sound,
        window: float,
        hop: float | None = None,
        sample_rate: float | None = None,
    ) -> Iterator[Window]:
        """Slide a window over a sound of any length; memory does not grow with it.

        Parameters
        ----------
        sound : Path, str, binary file, ndarray, or (ndarray, sample rate)
            As of a question about a whole sound.
        window, hop : float > 0, in seconds
            Length and distance of the windows; by default they are half a window apart. The last
            one ends where the sound ends.
        sample_rate : number, optional
            Rate of an array, in hertz.

        Yields
        ------
        Window
            In their order, `AT_ONCE` at a time.

        Raises
        ------
        InputError
            If the sound cannot be used, or is shorter than a window. The sound is decoded to its
            end before the first answer, so that a damaged file gets none.
        """
        for name, value in {"window": window, "hop": hop}.items():
            if value is not None and not value > 0:
                raise InputError(f"{name}: must be above 0 s, got {value:g}")
        opened = sounds.opened(sound, sample_rate)
        cuts = inputs.cuts(opened, window, window / 2 if hop is None else hop)
        for some in inputs.batches(cuts, AT_ONCE):
            taken = inputs.of(some, self.card, fused=self.fused)
            answers = iter(self._answers([one for one in taken if not one.empty]))
            for one in taken:
                yield Window(one.start, one.end, None if one.empty else next(answers), one.empty)

    def _answers(self, taken: Sequence[Input]) -> list[Answer]:
        """Answers about what `inputs` made of sounds, none of them empty."""
        values, unlike = self.answer(taken)
        outputs = self.card.target.outputs
        found = [Answer(zip(outputs, row.tolist(), strict=True)) for row in values]
        for answer, words in zip(found, unlike, strict=True):
            answer.unlike = tuple(words.values())
        return found

    def answer(self, taken: Sequence[Input]) -> tuple[np.ndarray, list[dict[str, str]]]:
        """Answer what `inputs` made of sounds.

        Parameters
        ----------
        taken : sequence of Input
            None of them an empty window.

        Returns
        -------
        values : ndarray, shape (clips, outputs), float32
        unlike : list of dict of str to str
            In what each clip is unlike the training, by kind (`limits.KINDS`).
        """
        ask = self.held()
        if not taken:
            return np.empty((0, len(self.card.target.outputs)), np.float32), []
        values, ratios = ask([one.values for one in taken])
        if self.known is None:
            return values, [{} for _ in taken]
        far = [None] * len(taken) if ratios is None else ratios.tolist()
        unlike = [
            self.known.unlike(vars(one.conditions), ratio) if one.conditions else {}
            for one, ratio in zip(taken, far, strict=True)
        ]
        return values, unlike

    def held(self) -> Ask:
        """Read the models, unless they have been read, and give what asks them.

        Raises
        ------
        InputError
            If a file of them cannot be used, or the predictor was closed.
        """
        with self._lock:
            if self._read is None:
                raise InputError(f"{self.card.folder}: the predictor is closed; load it again")
            if self._ask is None:
                self._ask = self._read()
            return self._ask

    def close(self) -> None:
        """Let go of the models; a later question is refused."""
        with self._lock:
            self._read = self._ask = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def load(
    bundle: Path | str,
    *,
    fold: int | None = None,
    tflite: Path | str | None = None,
    onnx: Path | str | None = None,
) -> Predictor:
    """Read a bundle and hold its models ready.

    Parameters
    ----------
    bundle : Path or str
        Folder that train or ``ser import`` wrote, ``models/RUN``.
    fold : int, optional
        Ask the model of this fold alone, of all its seeds; by default the answer is the mean of
        what the models of all folds give.
    tflite, onnx : Path or str, optional
        Ask this file, which ``ser export`` made of the bundle, in place of the bundle's models.

    Returns
    -------
    Predictor
        What answers about sounds. Its first question takes a second or more, for it compiles; the
        next ones take milliseconds.

    Raises
    ------
    InputError
        If the bundle or the exported file cannot be used.
    """
    predictor = opened(bundle, fold=fold, tflite=tflite, onnx=onnx)
    predictor.held()
    return predictor


def opened(
    bundle: Path | str,
    *,
    fold: int | None = None,
    tflite: Path | str | None = None,
    onnx: Path | str | None = None,
) -> Predictor:
    """Read the card of a bundle, as `load`; its models are read for the first question."""
    card = cards.read(Path(bundle))
    given = (("tflite", tflite), ("onnx", onnx))
    asked = [(kind, Path(path)) for kind, path in given if path]
    if len(asked) > 1 or (asked and fold is not None):
        raise InputError(f"{asked[0][0]}: the file is one model; leave out --onnx and --fold")
    if asked:
        ((kind, path),) = asked
        if not card.classical:
            backend.start(card.backend)  # TensorFlow starts in silence
        model = exported.read(path, kind, card)
        if not model.fused:
            inputs.check(card)
        known = limits.of(card, card.folds)
        return Predictor(card, model.fused, lambda: lambda x: (model.predict(x), None), known)
    ones = card.of_fold(fold)
    inputs.check(card)
    if not card.classical:
        models.check(card)
    return Predictor(card, False, lambda: _mean(card, ones), limits.of(card, ones))


def _mean(card: Card, ones: Sequence[FoldModel]) -> Ask:
    """Read models of a bundle, and answer with their mean."""
    if not card.classical:
        backend.start(card.backend)
    ask, spaces = models.held(card, ones), limits.spaces(card, ones)

    def answer(clips: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        found, far = [], []  # of each model (clips, outputs), (clips,)
        for one in ones:
            values, vectors = ask(one, clips)
            found.append(values)
            if vectors is not None and one.file in spaces:
                far.append(spaces[one.file].ratios(vectors))
        mean = found[0] if len(ones) == 1 else np.mean(found, axis=0)
        return mean, np.mean(far, axis=0) if far else None

    return answer
