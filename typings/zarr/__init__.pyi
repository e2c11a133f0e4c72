# Of a slice of an array, zarr says that it may be a scalar or text.
from typing import Any

def __getattr__(name: str) -> Any: ...
