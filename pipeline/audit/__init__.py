"""What is found in a corpus: facts of each signal, near-duplicates."""
