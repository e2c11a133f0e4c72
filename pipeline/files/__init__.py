"""Everything that knows a file format: sound, tables, stores, model bundles."""
