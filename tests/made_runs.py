"""Made-up runs as evaluate writes them, for tests of what is made of them."""

import html
import json
import random
import re

from pipeline.stages.report import report as stage

RATED = ["arousal", "dominance", "valence"]
LABELS = ["neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise"]


def same(**otherwise):
    """Conditions of a publication that are those of a made-up run."""
    conditions = {"clips": 240, "classes": LABELS, "selection": "last", "epochs": 8}
    conditions |= {"folds": {"kind": "speakers", "folds": 6, "seed": 46}}
    return conditions | {"feature": {"n_mfcc": 39}, "settings": {}} | otherwise


def leak(clips, of=240, *, allowed=False, **more):
    return {"clips": clips, "of": of, "values": min(clips, 6), "allowed": allowed} | more


APART = {kind: leak(0) for kind in ("clip", "pcm", "near", "speaker", "utterance", "parent")} | {
    "sentence": leak(240, allowed=True),
    "session": None,
}
SHARED = APART | {
    "pcm": leak(2, allowed=True),
    "speaker": leak(240, allowed=True),
    "utterance": leak(219, allowed=True),
}


def write_run(reports, name, *, right=0.8, leaks=APART, folds=6, epochs=8, **facts):
    """Write a made-up run of 240 clips, 30 of each class; ``right`` of every class recognised."""
    draw = random.Random(name)
    folder = reports / name
    folder.mkdir(parents=True)
    hits = round(30 * right)
    labels = facts.get("labels", LABELS)
    rows = ["clip,speaker,sex,fold,seed,label,predicted," + ",".join(f"p_{x}" for x in labels)]
    for i, label in enumerate(LABELS):
        for k in range(30):
            guess = label if k < hits else LABELS[(i + 1 + draw.randrange(3)) % 8]
            ps = ",".join("1.0" if x == guess else "0.0" for x in labels)
            sex = "fm"[k % 2]
            rows.append(f"{label}-{k},{k % 6},{sex},{k % folds + 1},0,{label},{guess},{ps}")
    (folder / "predictions.csv").write_text("\n".join(rows) + "\n")

    share = hits / 30
    fold = [share + draw.uniform(-0.06, 0.06) for _ in range(folds)]
    metrics = {
        f"{metric}{end}": share + offset
        for metric in ("uar", "war")
        for end, offset in (("", 0), ("_low", -0.043), ("_high", 0.037), ("_fold_mean", 0.001))
    }
    metrics |= {"uar_fold_std": 0.031, "war_fold_std": 0.029, "macro_f1": share - 0.01}
    metrics |= {"weighted_f1": share + 0.01, "mcc": share - 0.1, "top_2": share + 0.05}
    metrics |= {"log_loss": 1.234, "brier": 0.567, "ece": 0.089}
    metrics |= {f"recall_{label}": share for label in LABELS}
    metrics |= {f"uar_fold_{i:02d}": u for i, u in enumerate(fold, 1)}
    metrics |= {f"war_fold_{i:02d}": u + 0.012 for i, u in enumerate(fold, 1)}
    metrics |= {"clips": 240, "speakers": 6, "chance_uar": 0.125, "majority_war": 0.133}
    (folder / "metrics.json").write_text(json.dumps(metrics))

    rows = ["fold,seed,epoch,loss,accuracy,validation_loss,validation_accuracy,test_accuracy"]
    for f in range(1, folds + 1):
        for e in range(1, epochs + 1):
            gone = 1 - 0.9 ** (40 * e / epochs) + draw.uniform(-0.03, 0.03)
            rows.append(
                f"{f},0,{e},{2.1 - 1.7 * gone:.4f},{0.12 + 0.85 * gone:.4f},,,{share * gone:.4f}"
            )
    (folder / "history.csv").write_text("\n".join(rows) + "\n")
    write_facts(folder, leaks=leaks, folds=folds, epochs=epochs, **facts)
    return folder


def write_facts(folder, *, leaks=APART, folds=6, epochs=8, **facts):
    """Write run.json of a made-up run."""
    name = folder.name
    run = {
        "run": name,
        "model": "tim_net",
        "corpus": "ravdess",
        "waveform": "pad_110000",
        "feature": "mfcc39",
        "protocol": "speakers_6",
        "protocol_settings": {
            "kind": "speakers",
            "folds": folds,
            "seed": 46,
            "allow": ["sentence"],
        },
        "selection": "last",
        "weights": None,
        "settings": {"filters": 39, "dilations": 8, "dropout": 0.1},
        "training": {"epochs": epochs, "optimiser": {"name": "adam", "beta_1": 0.93}},
        "seeds": [0],
        "parameters": 108895,
        "input_shape": [215, 39],
        "labels": LABELS,
        "attributes": [],
        "folds": folds,
        "clips": 240,
        "speakers": 6,
        "leaks": leaks,
        "length": {
            "policy": "centre",
            "samples": 110000,
            "sample_rate": 22050,
            "clips": 240,
            "cut": 12,
            "largest_cut": 0.614,
            "padded": 228,
            "median_padding": 1.228,
        },
        "device": "cpu",
        "backend": "jax",
        "certificate": "9f2c" * 16,
        "provenance": {
            "weights": {"clips": 1200, "test": 0},
            "selection": {
                "clips": 240 if facts.get("selection") == "leaky" else 0,
                "test": 240 if facts.get("selection") == "leaky" else 0,
            },
        },
        "quality": {
            "clips": 240,
            "quarantined": {"Actor_07/broken.wav": "0 bytes"},
            "duplicates": [["03-01-03-01-02-01-07", "03-01-03-01-02-02-07"]],
            "near_duplicates": [{"clips": ["a_take", "a_copy"], "correlation": 0.98}],
            "length_accuracy": 0.21,
            "length_chance": 0.13,
            "partial": None,
            "sample_rate": {"48000": 240},
        },
        "spec": {"function": "cepstral.mfcc", "settings": {"n_mfcc": 39}, "waveform": {}},
        "model_defaults": {"filters": 39, "dilations": 8, "dropout": 0.1, "epochs": 500},
        "epochs_of_paper": 8,
        "published": [],
        "versions": {"python": "3.11.2", "keras": "3.15.1"},
    }
    (folder / "run.json").write_text(json.dumps(run | facts))


def write_rated(reports, name, *, attributes=RATED, ccc=0.6, clips=240, epochs=8, **facts):
    """Write a made-up run on attributes, dominance 0.1 and valence 0.2 below the first CCC."""
    draw = random.Random(name)
    folder = reports / name
    folder.mkdir(parents=True)
    scores = {attribute: ccc - 0.1 * RATED.index(attribute) for attribute in attributes}
    columns = [f"{what}_{attribute}" for attribute in attributes for what in ("true", "predicted")]
    rows = [",".join(["clip,speaker,sex,fold", *columns, "seed"])]
    for k in range(clips):
        values = []
        for score in scores.values():
            true = min(7, max(1, draw.gauss(4, 1)))
            values += [f"{true:.2f}", f"{4 + score * (true - 4) + draw.gauss(0, 0.5):.5f}"]
        rows.append(",".join([f"c{k},{k % 6},f,{k % 6 + 1}", *values, "0"]))
    (folder / "predictions.csv").write_text("\n".join(rows) + "\n")

    metrics = {"clips": clips, "speakers": 6}
    for attribute, score in scores.items():
        key = f"ccc_{attribute}"
        metrics |= {key: score, f"{key}_low": score - 0.05, f"{key}_high": score + 0.04}
        metrics |= {f"{key}_fold_mean": score - 0.002, f"{key}_fold_std": 0.021}
        metrics |= {f"{key}_fold_{i:02d}": score + draw.uniform(-0.06, 0.06) for i in range(1, 7)}
        metrics[f"rmse_{attribute}"] = 0.8 + 0.1 * RATED.index(attribute)
    (folder / "metrics.json").write_text(json.dumps(metrics))

    tested = [f"{part}_ccc_{a}" for part in ("validation", "test") for a in attributes]
    sizes = [f"cluster_{k:02d}" for k in range(1, 11)]
    measured = "fold seed epoch loss cluster_loss attribute_loss nmi".split()
    rows = [",".join([*measured, *sizes, *tested])]
    for fold in range(1, 7):
        for e in range(1, epochs + 1):
            gone = 1 - 0.9 ** (40 * e / epochs) + draw.uniform(-0.03, 0.03)
            nmi = f"{0.2 + 0.7 * gone:.4f}" if e > 1 else ""
            values = [f"{3.3 - 1.5 * gone:.4f}", f"{2.3 - gone:.4f}", f"{1 - gone / 2:.4f}", nmi]
            chunks = [str(draw.randrange(20, 30 + 30 * k)) for k in range(10)]
            scored = [f"{gone * (score + b):.4f}" for b in (0.05, 0) for score in scores.values()]
            rows.append(",".join([f"{fold},0,{e}", *values, *chunks, *scored]))
    (folder / "history.csv").write_text("\n".join(rows) + "\n")
    own = {"model": "deep_emo_cluster", "corpus": "msp_podcast", "labels": []}
    write_facts(folder, epochs=epochs, **own | {"attributes": list(attributes)} | facts)
    return folder


def write_recorded(
    reports,
    name,
    *,
    write=write_run,
    note="100 of 500 epochs",
    seconds=11430,
    tables=False,
    **run,
):
    """Write a made-up recorded run: of a run what is kept of it, and how it was made."""
    folder = write(reports / "recorded", name, **run)
    if not tables:  # as runs were recorded at first
        (folder / "predictions.csv").unlink()
        (folder / "history.csv").unlink()
    how = {
        "hardware": "AMD EPYC 9654",
        "cores": 2,
        "backend": "jax",
        "seconds": seconds,
        "command": f"dvc repro evaluate@{name}",
        "commit": "c09dac00ede091f4fa003e0793e03e65a80b1218-dirty",
        "date": "2026-11-20",
        "note": note,
    }
    (folder / "how.json").write_text(json.dumps(how))
    return folder


FLOORS = {
    "floors": {
        "length": {"uar": 0.2, "war": 0.2},  # in the order of the file
        "majority": {"uar": 0.125, "war": 0.133},
        "svm": {"uar": 0.651, "war": 0.59},
    },
    "clips": 200,
    "shuffled": {"draws": 5, "uar": 0.13, "uar_std": 0.01, "war": 0.14, "war_std": 0.01},
    "speaker": {"speakers": 6, "clips": 240, "accuracy": 0.934, "chance": 1 / 6},
}


ARTICLE = {"protocol": "1.8, gru", "arousal": 0.573, "dominance": 0.4663, "valence": 0.159,
           "source": "authors' README", "conditions": same(classes=[])}  # fmt: skip

RUNS = ["tim_net-ravdess-authors", "gmtcnet-demo", "tim_net-ravdess"]


def write_three(tmp_path):
    """Three runs: the authors' way, the same model held to account, and imported weights."""
    published = [
        {"protocol": "10 random folds, best epoch on test", "uar": 91.93, "war": 92.08,
         "source": "ICASSP 2023, table 1", "conditions": same(selection="leaky")},
        {"protocol": "10 random folds, last epoch", "uar": None, "war": 90.07,
         "source": "authors' curves, 2023-08", "conditions": same()},
        {"protocol": "10 random folds, last epoch", "uar": None, "war": 90.5,
         "source": "the same, without what it is", "conditions": same(selection="leaky")},
    ]  # fmt: skip
    write_run(tmp_path, "tim_net-ravdess-authors", right=0.9, leaks=SHARED, selection="leaky",
              protocol="authors_46", published=published)  # fmt: skip
    write_run(tmp_path, "gmtcnet-demo", right=0.5, model="gmtcnet", corpus="demo")
    write_run(tmp_path, "tim_net-ravdess", right=0.6)
    return tmp_path


def report(reports, runs):
    """Run the stage on the named runs; of a line of params.yaml it takes the name alone."""
    recorded, across = reports / "recorded", reports / "across"
    recorded.mkdir(exist_ok=True)
    across.mkdir(exist_ok=True)
    made = [reports / name for name in ("index.html", "summary.md", "plots", "tables", "cards")]
    stage(reports, recorded, across, *made, runs=dict.fromkeys(runs))


def text_of(markup):
    """What a reader sees, on one line."""
    body = re.sub(r"<(style|script)>.*?</\1>", "", markup, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def page_of(reports):
    """Give the page as it was written."""
    return (reports / "index.html").read_text()
