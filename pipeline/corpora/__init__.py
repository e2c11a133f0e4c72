"""One file per corpus; the file name is the registry."""
