"""The generated core, with its functions as the compiled module has them: without a second Python call in between."""
from __future__ import annotations

import ctypes
import os
from typing import Any

if os.environ.get("MPT_LIBRARY"):
    # A library of that name is in the process already when the core asks for one.
    ctypes.CDLL(os.environ["MPT_LIBRARY"])

from . import _swig_core, swig_core  # noqa: E402
from .errors import make_error  # noqa: E402


def __getattr__(name: str) -> Any:
    return getattr(swig_core, name)


globals().update({name: getattr(swig_core, name) for name in vars(swig_core) if not name.startswith("_")})
globals().update({name: function for name, function in vars(_swig_core).items()
                  if callable(function) and name in vars(swig_core) and not isinstance(function, type)
                  and not isinstance(getattr(swig_core, name), type)})
TensorBuffer: Any = _swig_core.TensorBuffer
_swig_core.set_error_factory(make_error)


class Handle:
    """What every object of mpt has: it can be closed, and says so when it was."""

    this: Any
    _ctx: Any = None

    def _adopt(self, made: Any, ctx: Any) -> None:
        self.__dict__["this"] = made.this
        self.__dict__["_ctx"] = ctx

    @property
    def closed(self) -> bool:
        """Was close called?"""
        return "this" not in self.__dict__

    def close(self) -> None:
        """Gives the handle back now instead of at the object's end. What else uses the same thing keeps it. Closing twice is fine."""
        self.__dict__.pop("this", None)

    @property
    def context(self) -> Any:
        """The context that it was made in."""
        return self._ctx


def register(name: str, cls: type) -> None:
    """From now on the core gives objects of this class for handles of that type."""
    getattr(_swig_core, name + "_swigregister")(cls)


def text(function: Any, *arguments: Any) -> str:
    """The text of a function that writes into a caller's buffer."""
    value, needed = function(*arguments, 1024)
    if needed > 1024:
        value, needed = function(*arguments, needed)
    return str(value)
