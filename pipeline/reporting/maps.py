"""Maps of the vectors that networks make of clips: near each other, alike to the network."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.reporting.drawing import write_png

NEIGHBOURS = 30  # perplexity of t-SNE, where there are three times as many clips or more
COLUMNS, INCHES = 4, 3.2


def positions(vectors: np.ndarray) -> np.ndarray:
    """Place vectors on a plane by t-SNE [1]_, from their first two principal components on.

    Parameters
    ----------
    vectors : ndarray, shape (clips, dims)
        Four clips or more.

    Returns
    -------
    ndarray, shape (clips, 2)
        The same for the same vectors. Distances between far clips mean little.

    References
    ----------
    .. [1] L. van der Maaten and G. Hinton, Visualizing data using t-SNE, Journal of Machine
       Learning Research 9, 2008.
    """
    from sklearn.manifold import TSNE

    perplexity = min(NEIGHBOURS, (len(vectors) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(vectors)


def draw(vectors: np.ndarray, truth: pd.Series, panels: pd.Series, picture: Path) -> None:
    """Draw a map for each network: vectors of two are not comparable.

    Parameters
    ----------
    vectors : ndarray, shape (clips, dims)
    truth : Series
        Emotion of each clip, or a rating.
    panels : Series of str
        Network that made each vector.
    picture : Path
        PNG file to write.
    """
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(panels))
    rows, columns = -(-len(names) // COLUMNS), min(COLUMNS, len(names))
    figure = Figure(figsize=(INCHES * columns, INCHES * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    labels = [] if pd.api.types.is_numeric_dtype(truth) else sorted(set(truth))
    shown: list = []
    for axes, name in zip(grid, names, strict=False):
        own = (panels == name).to_numpy()
        places, true = positions(vectors[own]), truth[own].to_numpy()
        axes.set(title=name, xticks=[], yticks=[])
        if labels:
            shown = [
                axes.scatter(*places[true == label].T, s=9, color=f"C{i}", label=label)
                for i, label in enumerate(labels)
            ]
        else:
            shown = [axes.scatter(*places.T, s=9, c=true, cmap="viridis")]
    for axes in grid[len(names) :]:
        axes.remove()
    if labels:
        figure.legend(handles=shown, loc="outside lower center", ncols=4, frameon=False)
    else:
        figure.colorbar(shown[0], ax=list(grid[: len(names)]), label=str(truth.name))
    write_png(figure, picture)
