"""A trained model and a sound: bundles read, inputs made, exported files."""
