"""How models are trained. Models know nothing of it.

``loop``: the folds of a run, together, resumable; ``emotions``, ``attributes``: what is learnt in
an epoch (``task``: what the two share); ``objectives``, ``clustering``: losses, targets and
optimisers as plain functions; ``compiled``: a network's epoch as one compiled program per backend;
``inference``: trained models, used.
"""

BALANCES = ("none", "weights", "resample")

# What any training takes beside its model's settings. ``balance`` makes classes count alike, by
# weights or by how often clips are drawn; masks replace up to so many frames in a row, and bins, of
# a training clip by each bin's mean over the clip (Park et al., "SpecAugment", Interspeech 2019).
TRAINING = {"balance": "none", "mask_frames": 0, "mask_bins": 0}
