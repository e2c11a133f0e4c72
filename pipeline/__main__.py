"""``python -m pipeline NAME ...``, installed as ``ser NAME ...``."""

from pipeline.commandline import main

main()
