"""What a person calls, outside the graph of stages."""
