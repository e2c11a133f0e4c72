"""Across corpora: a trained bundle is tested on another corpus, and nothing is trained again.

``ser test-on``. Not a stage: the sound of the other corpus goes the way that ``ser predict`` takes,
by the settings of the bundle, and an ontology brings the words of both to common labels. What it
writes to ``reports/across`` the report shows in one table.
"""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import parallel, text
from pipeline.config import experiment, params
from pipeline.config.records import Corpus
from pipeline.errors import InputError
from pipeline.files import audio, checked, tables
from pipeline.files.index import Index
from pipeline.inference import cards, inputs, predictor, sounds
from pipeline.inference.predictor import Predictor
from pipeline.protocols import leakage
from pipeline.protocols import ontology as ontologies
from pipeline.scoring import evaluation
from pipeline.scoring.merging import merged
from pipeline.scoring.targets import Emotions
from pipeline.scoring.unlike import warned

ACROSS = Path("reports/across")
AT_ONCE = 32  # clips of a block
OF_CLIPS = ["clip", "speaker", "sex"]


@dataclass(frozen=True)
class Tested:
    """Clips of a corpus that a bundle is tested on.

    Attributes
    ----------
    clips : DataFrame
        Their rows of the index, with a ``label``.
    classes : tuple of str
        Labels that both the model and the corpus have.
    words, outputs : dict of str to str
        Label of each emotion of the corpus, and of each output of the model, that takes part.
    left_out : dict of str to int
        Clips of other emotions, by these; ``""`` of those without one.
    """

    clips: pd.DataFrame
    classes: tuple[str, ...]
    words: dict[str, str]
    outputs: dict[str, str]
    left_out: dict[str, int]


def across(
    bundle: Path, corpora: list[str], *, ontology: str = "common-1", fold: int | None = None
) -> None:
    """Test a trained bundle on other corpora.

    Nothing is trained again. The classes are those that both the model and the corpus have under
    the ontology: probabilities of outputs with one label are added, outputs without a class take no
    part. Results go to reports/across; dvc repro report makes a table of them.

    Parameters
    ----------
    bundle : Path
        Folder that train or ``ser import`` wrote, ``models/RUN``, of a run on emotions.
    corpora : list of str
        Lines of corpora in params.yaml, indexed (dvc repro index@CORPUS).
    ontology : str
        Table of pipeline/protocols/ontology.py from emotions to labels: common-1 or four-1.
    fold : int, optional
        Ask the model of this fold alone; by default the mean of what all folds' models give.

    Raises
    ------
    InputError
        If the bundle, the ontology or a corpus cannot be used, the bundle was trained on that
        corpus, fewer than two classes are left, or no clip can be answered.
    """
    known = params.load().corpora
    if ontology not in ontologies.ONTOLOGIES:
        nearest = text.nearest(ontology, list(ontologies.ONTOLOGIES))
        raise InputError(f"ontology: there is no {ontology!r}; {nearest}")
    for name in corpora:
        if name not in known:
            raise InputError(f"params.yaml: corpora: no {name!r}; {text.nearest(name, [*known])}")
    model = predictor.opened(bundle, fold=fold)
    card = model.card
    if card.target.KIND != Emotions.KIND:
        raise InputError(f"{bundle}: predicts {card.target.KIND}, wanted a bundle of emotions")
    if card.corpus in corpora:
        raise InputError(
            f"{card.corpus}: {bundle} was trained on it; dvc repro evaluate@{card.run} tests it "
            "on clips that were held out"
        )
    trained = known.get(card.corpus)
    for name in corpora:
        where = ACROSS / card.run / f"{name}-{ontology}"
        facts, predictions = _tested(model, known[name], trained, ontology)
        scores = _scores(predictions, facts["labels"])
        facts |= {"fold": fold, "models": cards.hashes(card, card.of_fold(fold))}
        _write(where, facts, scores, predictions)
        shown = (Emotions.show(scores[key]) for key in ("uar", "uar_low", "uar_high"))
        sys.stdout.write("{}: UAR {} % [{}, {}]".format(where, *shown))
        sys.stdout.write(
            f" of {len(predictions)} clips in {len(facts['labels'])} classes ({ontology})\n"
        )


def _tested(
    model: Predictor, corpus: Corpus, trained: Corpus | None, ontology: str
) -> tuple[dict, pd.DataFrame]:
    """Facts of a test on a corpus, and its predictions."""
    raw, index = experiment.of_corpus(corpus.name)
    if not index.is_file():
        raise InputError(f"{index}: not there; run dvc repro index@{corpus.name}")
    audited = checked.read(index.with_name("quality.json"))
    usable, card = Index.read(index).usable().clips, model.card
    try:
        tested = choose(usable, card.target.outputs, ontology)
    except InputError as error:
        raise InputError(f"{corpus.name}: {error}") from None
    paths = [raw / path for path in tested.clips["path"]]
    hashes = tested.clips["pcm_hash"].tolist()

    def answered(block: slice) -> tuple[np.ndarray, list[str], list[str]]:
        found = [_taken(*one, model) for one in zip(paths[block], hashes[block], strict=True)]
        answers, unlike = model.answer([one for one in found if not isinstance(one, str)])
        refused = [one if isinstance(one, str) else "" for one in found]
        return answers, [" ".join(kinds) for kinds in unlike], refused

    model.held()
    blocks = [slice(i, min(i + AT_ONCE, len(paths))) for i in range(0, len(paths), AT_ONCE)]
    parts = parallel.each(answered, blocks, f"test on {corpus.name}")
    reasons = pd.Series([why for _, _, refused in parts for why in refused])
    unanswered = Counter(reasons[reasons != ""])
    clips = tested.clips[(reasons == "").to_numpy()].reset_index(drop=True)
    if clips.empty:
        raise InputError(f"{raw}: no clip can be answered: {reasons.iloc[0]}")
    answers = np.concatenate([answers for answers, _, _ in parts])
    target = Emotions(tested.classes)
    truth = clips["label"].map({label: i for i, label in enumerate(tested.classes)}).to_numpy()
    found = merged(answers, card.target.outputs, tested.outputs, tested.classes)
    predictions = clips[OF_CLIPS].join(target.predictions(truth, found))
    if model.known:
        predictions["unlike"] = [kinds for _, unlike, _ in parts for kinds in unlike]
    facts = {
        "run": card.run,
        "model": card.model,
        "trained_on": card.corpus,
        "corpus": corpus.name,
        "ontology": ontology,
        "labels": list(tested.classes),
        "outputs": tested.outputs,
        "words": tested.words,
        "left_out": tested.left_out,
        "unanswered": dict(unanswered),
        "clips": len(clips),
        "speakers": int(clips["speaker"].nunique()),
        "leaks": _leaks(clips, corpus, trained, card.pretrained_on),
        "unlike": warned(predictions),
        "imported": card.weights is not None,
        "quality": {"parser": audited["parser"], "sources": audited["sources"]},
    }
    return facts, predictions


def choose(usable: pd.DataFrame, outputs: tuple[str, ...], ontology: str) -> Tested:
    """Choose the clips of a corpus whose label a model can give.

    Parameters
    ----------
    usable : DataFrame
        Usable clips, with the columns of the index.
    outputs : tuple of str
        Labels of the model.
    ontology : str
        Name in ``ontology.ONTOLOGIES``.

    Returns
    -------
    Tested

    Raises
    ------
    InputError
        If the ontology does not know a word, or fewer than two classes are left.
    """
    label_of = ontologies.labels(ontology, outputs)
    words = ontologies.labels(ontology, set(usable["emotion"]) - {""})
    classes = tuple(sorted(set(label_of.values()) & set(words.values())))
    if len(classes) < 2:
        raise InputError(
            f"{ontology} leaves {', '.join(classes) or 'no class'} that model and corpus have; "
            "wanted two classes or more"
        )
    label = usable["emotion"].map(words)
    takes = label.isin(classes)
    return Tested(
        clips=usable.assign(label=label)[takes].reset_index(drop=True),
        classes=classes,
        words={word: label for word, label in words.items() if label in classes},
        outputs={name: label for name, label in label_of.items() if label in classes},
        left_out=dict(sorted(Counter(usable["emotion"][~takes]).items())),
    )


def _taken(path: Path, pcm_hash: str, model: Predictor) -> inputs.Input | str:
    """What the model takes of a file, which is still the indexed one, or why it takes nothing."""
    decoded = sounds.read(path)
    if audio.pcm_hash(decoded.signal, decoded.sample_rate) != pcm_hash:
        raise InputError(f"{path}: changed since it was indexed; run dvc repro")
    try:
        return inputs.made(decoded, model.card, fused=model.fused)
    except InputError as error:
        return str(error).removeprefix(f"{audio.shown(path)}: ")


def _leaks(
    clips: pd.DataFrame, corpus: Corpus, trained: Corpus | None, pretrained_on: tuple[str, ...]
) -> dict[str, int | None]:
    """Test clips whose sound, or whose speaker, is in the corpus of the training; None: not known.

    Speakers of different corpora are different people, but where one parser gives both a name.
    """
    parsers = {corpus.name, corpus.parser, *corpus.settings.get("of", {}).values()}
    seen = leakage.pretraining(pretrained_on, parsers)
    found: dict[str, int | None] = {"pcm": None, "speaker": None}
    found["pretraining"] = None if seen == "unknown" else len(clips) * bool(seen)
    if trained and (index := experiment.of_corpus(trained.name)[1]).is_file():
        others = Index.read(index).usable().clips
        found["pcm"] = int(clips["pcm_hash"].isin(others["pcm_hash"]).sum())
        mine, theirs = _people(clips, corpus), _people(others, trained)
        if (mine != "").any() and (theirs != "").any():
            found["speaker"] = int(mine.isin(theirs[theirs != ""]).sum())
    return found


def _people(clips: pd.DataFrame, corpus: Corpus) -> pd.Series:
    """Speaker of each clip, as its parser calls them, and the parser; ``""`` where not known."""
    joined, names = corpus.settings.get("of", {}), []
    for part, speaker in zip(clips["corpus"], clips["speaker"], strict=True):
        parser = joined.get(part, corpus.parser)
        own = speaker.removeprefix(f"{part}-") if part in joined else speaker
        names.append(f"{parser} {own}" if own else "")
    return pd.Series(names, index=clips.index)


def _scores(predictions: pd.DataFrame, classes: list[str]) -> dict[str, float]:
    """Metrics over all clips; there are no folds to be parted."""
    found = evaluation.evaluate_emotions(predictions.assign(fold=1), classes)
    return {key: value for key, value in found.items() if "_fold_" not in key}


def _write(folder: Path, facts: dict, scores: dict, predictions: pd.DataFrame) -> None:
    """Write a folder in place of the one that is there."""
    with tables.replacing_folder(folder) as made:
        tables.write(predictions, made / "predictions.csv")
        tables.write_json(scores, made / "metrics.json")
        files = [made / "metrics.json", made / "predictions.csv"]
        checked.write(facts, made / "across.json", files)
