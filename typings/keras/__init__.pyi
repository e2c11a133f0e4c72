# Keras's own annotations say of every operation that it may give None.
from typing import Any

def __getattr__(name: str) -> Any: ...
