"""From sound to tensors: resampling, framing, and one function per feature."""
