"""What the bytes of a sound file hold, checked against its header: one module per family."""
