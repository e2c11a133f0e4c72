"""One file per published model; ``layers`` holds what two of them need."""
