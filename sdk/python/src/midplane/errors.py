"""What ends a call without an answer."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional


class PluginError(Exception):
    """An error that a plugin answers deliberately.

    Callers get ``plugin_error`` with this code, message, ``recoverable`` and ``data`` in its ``data``. Every other
    exception that leaves an action arrives as ``panicked``, with its text and stack.

    code: a short word that programs can compare, such as ``sold_out``.
    recoverable: whether the same call may go well later without anybody changing anything.
    data: anything that JSON can say, 64 KiB at most.
    """

    def __init__(self, code: str, message: str, recoverable: bool = False, data: Any = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.recoverable = recoverable
        self.data = data

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class HostError(PluginError):
    """An answer of the host that something asked of it cannot be.

    ``code`` is one of the contract: ``permission_denied``, ``not_supported``, ``plugin_not_found``,
    ``deadline_exceeded``… Not caught, it becomes the plugin's own answer, with that code in ``data.code``.

    remedy: what to do about it, for people.
    """

    def __init__(
        self, code: str, message: str, recoverable: bool = False, data: Any = None, remedy: Optional[str] = None
    ) -> None:
        super().__init__(code, message, recoverable, data)
        self.remedy = remedy


class Cancelled(BaseException):
    """The host has given up the call that runs: its deadline passed, or nobody wants the answer any longer.

    Raised in a synchronous action wherever it is, also in the middle of ``time.sleep`` or of reading a socket. Clean up
    and let it pass: an action that goes on is told again, and its process is killed 500 ms after the first time. Async
    actions get ``asyncio.CancelledError`` instead.
    """
