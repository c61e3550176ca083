"""Contexts: a device, its memory, its random numbers."""
from __future__ import annotations

import contextlib
import contextvars
import ctypes
import glob
import importlib.util
import os
import threading
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from . import _core
from ._enums import Device, LogLevel
from ._support import as_enum, descriptor
from .errors import StateError

if TYPE_CHECKING:
    from types import TracebackType


class ContextMemory(NamedTuple):
    """Bytes on the device."""
    in_use: int
    peak: int
    reserved: int


def _open_nvidia_libraries() -> None:
    """NVIDIA's wheels lie where no loader looks; once they are open, the CUDA module and cuDNN find them by name."""
    spec = importlib.util.find_spec("nvidia")
    roots = list(spec.submodule_search_locations or []) if spec else []
    # In this order: the later ones need the earlier ones.
    for folder, prefix in (("cu13", "libnvrtc.so."), ("cu13", "libcublasLt.so."), ("cu13", "libcublas.so."), ("cudnn", "libcudnn.so.")):
        for path in sorted(found for root in roots for found in glob.glob(os.path.join(glob.escape(root), folder, "lib", prefix + "*"))):
            with contextlib.suppress(OSError):  # mpt says what it misses
                ctypes.CDLL(path)


class Context(_core.mpt_context, _core.Handle):
    """A device, its memory, its random numbers and its settings. Everything made from it keeps it alive; threads that share it take turns.

    In a `with` statement it is the current context, which tensors and layers are made in unless one is given.
    log: called with a LogLevel and a text; it is kept for good.
    """

    def __init__(self, device: Device | str = "cpu", *, index: int = 0, threads: int = 0, seed: int = 0,
                 log: Callable[[LogLevel, str], None] | None = None, log_level: LogLevel | str = "warning") -> None:
        kind = as_enum(Device, device)
        if kind != Device.CPU:
            _open_nvidia_libraries()
        desc = descriptor(_core.mpt_context_desc, _core.mpt_context_desc_init, {
            "device": kind, "device_index": index, "threads": threads, "seed": seed, "log_level": as_enum(LogLevel, log_level)})
        if log is not None:
            _core.set_log(desc, log)
        self._adopt(_core.mpt_context_create(desc), self)
        self.__dict__["_ctx"] = None
        self._index = index
        self._blocks: dict[str, int] = {}
        self._depth = 0

    @property
    def context(self) -> Context:
        return self

    def __enter__(self) -> Context:
        _entered.set((*_entered.get(), self))
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        _entered.set(_entered.get()[:-1])

    def _begin(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Opens a block, such as autocast's, by a call of C. What a block sets is the context's, so that another thread's is refused: to wait
        for it could take forever, as it may wait for a call of this thread."""
        mine = threading.get_ident()
        if self._blocks.setdefault("owner", mine) != mine:
            raise StateError("the context is inside of another thread's block (autocast, no_grad, capture, or a captured function): one thread at a "
                             "time uses a context. Give each thread a context, or hold a lock of your own around the whole")
        self._depth += 1
        try:
            call(*arguments)
        except BaseException:
            self._left()
            raise

    def _left(self) -> None:
        self._depth -= 1
        if not self._depth:
            del self._blocks["owner"]

    def _end(self, call: Callable[..., Any]) -> None:
        """Closes a block; in a closed context there is nothing to call."""
        try:
            if not self.closed:
                call(self)
        finally:
            self._left()

    def __repr__(self) -> str:
        return "<mpt.Context, closed>" if self.closed else f"<mpt.Context: {self.describe()}>"

    @property
    def device(self) -> Device:
        """The device in use, which for "auto" is the one that was found."""
        return Device(_core.mpt_context_device(self))

    @property
    def index(self) -> int:
        """The number of the device among those of its kind."""
        return self._index

    @property
    def threads(self) -> int:
        """The number of threads in use."""
        return int(_core.mpt_context_threads(self))

    def describe(self) -> str:
        """A line about the device and its libraries."""
        return _core.text(_core.mpt_context_describe, self)

    def synchronize(self) -> None:
        """Waits for all work; raises what the device has failed at since."""
        _core.mpt_context_synchronize(self)

    def seed(self, seed: int) -> None:
        """Restarts the random numbers."""
        _core.mpt_context_seed(self, seed)

    @property
    def memory(self) -> ContextMemory:
        """Bytes in tensors, programs and workspaces, the most of that so far, and what was taken from the device."""
        return ContextMemory(*_core.mpt_context_memory(self))

    def trim(self) -> None:
        """Gives cached free blocks and idle workspaces back."""
        _core.mpt_context_trim(self)

    def set_option(self, key: str, value: str) -> None:
        """Experimental knobs: mpt_context_set_option in mpt.h lists them."""
        _core.mpt_context_set_option(self, key, value)

    @property
    def stream(self) -> int | None:
        """The address of the CUDA stream that work is enqueued on; None on the CPU. Set it to the host's own, or to None for the context's."""
        return _core.mpt_context_stream(self) or None

    @stream.setter
    def stream(self, stream: int | None) -> None:
        _core.mpt_context_set_stream(self, stream)

    @property
    def last_error(self) -> str:
        """The message of the last failed call, from whatever thread."""
        return str(_core.mpt_context_last_error(self))


_core.register("mpt_context", Context)
_entered: contextvars.ContextVar[tuple[Context, ...]] = contextvars.ContextVar("mpt_contexts", default=())
_default: Context | None = None
_default_lock = threading.Lock()


def current_context() -> Context:
    """That of the innermost `with context:`, else the process's own, which is made on the CPU when first asked for."""
    global _default
    entered = _entered.get()
    if entered:
        return entered[-1]
    with _default_lock:
        if _default is None or _default.closed:
            _default = Context()
        return _default


def set_default_context(ctx: Context) -> None:
    """What current_context() gives outside of any `with context:`."""
    global _default
    _default = ctx


__all__ = ["Context", "ContextMemory", "current_context", "set_default_context"]
