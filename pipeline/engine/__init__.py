"""How models are trained. Models know nothing of it.

``objectives``: losses, targets and optimisers as plain functions; ``compiled``: a network's epoch
as one compiled program per backend; ``loop``: the folds of a run, together, resumable;
``inference``: trained models, used.
"""
