"""numpy, imported when it is first used: half of the time that reading params.yaml would take.

What holds settings of features and protocols is imported whenever params.yaml is read, and computes
nothing then: ``from pipeline.lazy import np`` there, in place of ``import numpy as np``, and
annotations are left as text (``from __future__ import annotations``).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
else:

    class _Numpy:
        """The names of numpy, each looked up once."""

        def __getattr__(self, name):
            import numpy

            value = getattr(numpy, name)
            setattr(self, name, value)
            return value

    np = _Numpy()

__all__ = ["np"]
