"""A browser of this machine, for what only a browser shows."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def path() -> str | None:
    """Path of the first browser that is installed; None without one."""
    return next(filter(None, map(shutil.which, NAMES)), None)
