"""Exceptions: one class for each status, with the status and the message of the C library."""
from __future__ import annotations

from ._enums import Status


class Error(Exception):
    """A call that mpt refused or that failed. status says what it came to, message why and what to do."""

    status: Status = Status.INTERNAL

    def __init__(self, message: str, status: Status | None = None) -> None:
        super().__init__(message)
        self.message = message
        if status is not None:
            self.status = status


class ArgumentError(Error, ValueError):
    """An argument is missing or out of its range."""
    status = Status.ARGUMENT


class ShapeError(Error, ValueError):
    """A tensor's shape does not fit."""
    status = Status.SHAPE


class DTypeError(Error, TypeError):
    """A tensor's element type does not fit."""
    status = Status.DTYPE


class ContextError(Error, ValueError):
    """Something belongs to another context."""
    status = Status.CONTEXT


class StateError(Error, RuntimeError):
    """The call comes in the wrong order, or uses what was closed."""
    status = Status.STATE


class StaleError(Error, RuntimeError):
    """A tensor saved for backward was changed, or its graph is used up."""
    status = Status.STALE


class UnsupportedError(Error, NotImplementedError):
    """Known, but not to be had here."""
    status = Status.UNSUPPORTED


class OutOfMemoryError(Error, MemoryError):
    """No memory."""
    status = Status.MEMORY


class DeviceError(Error, RuntimeError):
    """The device or its module cannot be used."""
    status = Status.DEVICE


class DeviceLostError(DeviceError):
    """The device has failed and is lost to this process."""
    status = Status.DEVICE_LOST


class FileError(Error, OSError):
    """A file or callback failed, or the data are damaged."""
    status = Status.IO


class NotFoundError(Error, LookupError):
    """No such name."""
    status = Status.NOT_FOUND


class ScalerOrderError(StateError):
    """Unscale, step and update of a loss scaler came in the wrong order; status says which."""


class ForkedError(Error, RuntimeError):
    """The context was made before fork() and this is the child."""
    status = Status.FORKED


_CLASSES: dict[Status, type[Error]] = {c.status: c for c in (
    ArgumentError, ShapeError, DTypeError, ContextError, StateError, StaleError, UnsupportedError, OutOfMemoryError, DeviceError,
    DeviceLostError, FileError, NotFoundError, ForkedError)}
for _status in (Status.UNSCALED_TWICE, Status.UNSCALE_AFTER_STEP, Status.STEP_TWICE, Status.UPDATE_WITHOUT_STEP):
    _CLASSES[_status] = ScalerOrderError


def make_error(status: int, message: str) -> Error:
    """The exception for a status of the C library."""
    known = Status(status) if status in Status._value2member_map_ else Status.INTERNAL
    return _CLASSES.get(known, Error)(message, known)


__all__ = ["Error", "ArgumentError", "ShapeError", "DTypeError", "ContextError", "StateError", "StaleError", "UnsupportedError",
           "OutOfMemoryError", "DeviceError", "DeviceLostError", "FileError", "NotFoundError", "ScalerOrderError", "ForkedError"]
