"""``python -m pipeline NAME ...``, installed as ``ser NAME ...``."""

import sys

try:
    from pipeline.commandline import main
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] == "pipeline":
        raise
    sys.exit(
        f"ser: {sys.executable} lacks {error.name}; activate the environment "
        "(. .venv/bin/activate) and run this again; dvc checkout brings back what DVC removed"
    )
except (OSError, MemoryError) as error:
    sys.exit(f"ser: {error}; mend that, then run this again")

main()
