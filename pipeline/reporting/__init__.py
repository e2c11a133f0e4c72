"""What a person reads: results, figures, the page."""
