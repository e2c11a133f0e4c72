"""Speech emotion recognition, from raw corpora to reports."""
