"""How models are trained. Models know nothing of it.

``loop``: the folds of a run, together, resumable; ``emotions``, ``attributes``: what is learnt in
an epoch (``task``: what the two share); ``objectives``, ``clustering``: losses, targets and
optimisers as plain functions; ``compiled``: a network's epoch as one compiled program per backend;
``inference``: trained models, used.
"""
