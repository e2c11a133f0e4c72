# Of what a function gives, the library says too little or too much.
from typing import Any

def __getattr__(name: str) -> Any: ...
