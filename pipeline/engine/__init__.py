"""How models are trained. Models know nothing of it.

``loop``: the folds of a run, together, resumable; ``emotions``, in two stages ``segments``, and
``attributes``: what is trained in an epoch (``task``: what they have in common); ``objectives``,
``clustering``: losses, targets and optimisers as plain functions; ``compiled``: a network's epoch
as one `program.Program`, made by ``jax_program`` or ``tensorflow_program``; ``dataset``: what runs
are trained and evaluated on; ``answers``: what a trained network gives. ``classical`` fits machines
of scikit-learn at once, which become ``machines``: arrays that answer without it, and without
Keras.
"""
