"""What params.yaml may say, and its only reader."""
