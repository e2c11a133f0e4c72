"""What dvc.yaml calls, one verb a file. They meet in files alone: none imports another."""
