"""How models are trained: losses, optimisers, the loop, checkpoints."""
