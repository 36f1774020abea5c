"""The limits that a process can hold, set before the plugin's code is there."""

from __future__ import annotations

from ._values import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

# What the SDK needs while it serves: stacks of threads, buffers, the plugin's code.
HEADROOM = 24 * 1024 * 1024


def apply(limits: "Dict[str, Any]") -> None:
    """Sets ``memory`` and ``file_descriptors``. Raises :class:`Refused` ``limit_not_enforceable``."""
    memory, files = limits.get("memory"), limits.get("file_descriptors")
    if memory is None and files is None:
        return
    import resource

    if memory is not None:
        # Writable private memory, which is what a plugin fills; RLIMIT_AS would count what is merely reserved.
        _set(resource.RLIMIT_DATA, memory + _writable_now() + HEADROOM, "memory")
    if files is not None:
        _set(resource.RLIMIT_NOFILE, files, "file_descriptors")


def _set(which: int, value: int, name: str) -> None:
    import resource

    try:
        resource.setrlimit(which, (value, value))
    except (OSError, ValueError) as why:
        raise Refused("limit_not_enforceable", f"the limit {name} cannot be set to {value}: {why}",
                      "lower the limit, or leave it out") from None


def _writable_now() -> int:
    """Writable private memory that the process has already, in bytes."""
    with open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(b"VmData:"):
                return int(line.split()[1]) * 1024
    return 0
