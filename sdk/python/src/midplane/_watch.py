"""Hears what the host says while the plugin's own code keeps the main thread.

The main thread reads a call, runs a synchronous action on the spot and writes the answer: no thread is switched. So that
``CANCEL`` and ``PING`` are heard during a long action, a second thread looks every 10 ms while there is work; when the same
call still runs, it reads in the main thread's place. A cancelled call is ended by a signal to the main thread, whose
handler raises :class:`Cancelled`: unlike ``PyThreadState_SetAsyncExc`` that also ends ``time.sleep``, a read of a socket
and a wait for a lock. Only code of C that runs no Python is out of its reach; the host kills it after 500 ms.

Without work the watcher sleeps on a lock, and costs nothing.
"""

from __future__ import annotations

# The enumerations of the public module cost a third of the interpreter's own start.
import _signal  # type: ignore[import-not-found]
import _thread
import select
import sys
import time

from ._line import Line
from .errors import Cancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Nobody else's: the C library keeps the first two, and programs use the ordinary ones.
SIGNAL = _signal.SIGRTMIN + 11
LOOK, IDLE_LOOKS = 0.01, 50
# Between two tries at a plugin that swallows the exception: long enough to clean up in.
AGAIN = 0.2


class Watch:
    """The second thread of a line."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.watched = 0  # the key of the synchronous request that runs
        self.parked = False
        self.wake = _thread.allocate_lock()
        self.started = False
        _signal.signal(SIGNAL, self.on_signal)

    def begin(self, key: int) -> None:
        """A synchronous request begins on the main thread."""
        self.watched = key
        if self.parked:
            self.parked = False
            try:
                self.wake.release()
            except RuntimeError:
                pass  # The watcher looked up by itself at this moment.
        elif not self.started:
            self.started = True
            self.wake.acquire()
            before = _thread.stack_size(256 * 1024)
            _thread.start_new_thread(self.run, ())
            _thread.stack_size(before)

    def on_signal(self, *_: Any) -> None:
        """On the main thread, between two steps of whatever it does."""
        line = self.line
        if line.cancellable and line.is_given_up():
            raise Cancelled

    def run(self) -> None:
        """The thread."""
        while True:
            idle = 0
            while idle < IDLE_LOOKS:
                seen = self.watched
                time.sleep(LOOK)
                if seen and self.watched == seen:
                    self.read_during(seen)
                idle = 0 if seen else idle + 1
            self.parked = True
            if self.watched:
                # It began between the last look and now; whether it has seen that nobody looks is open.
                self.parked = False
                self.wake.acquire(False)
            else:
                self.wake.acquire()

    def read_during(self, seen: int) -> None:
        """Reads until that request is over."""
        line, told = self.line, 0.0
        poll = select.poll()
        poll.register(line.descriptor, select.POLLIN)
        while self.watched == seen:
            ready = poll.poll(20)
            if ready:
                if line.reading.acquire(False):
                    try:
                        # Who had the lock before may have taken it all.
                        if self.watched == seen and poll.poll(0):
                            line.fill()
                    except BaseException as why:
                        self.end(why)
                    finally:
                        line.reading.release()
                else:
                    time.sleep(LOOK)
            if line.cancelled == seen and self.watched == seen and time.monotonic() >= told + AGAIN:
                told = time.monotonic()
                _signal.pthread_kill(line.main, SIGNAL)

    def end(self, why: BaseException) -> None:
        """What ends the process ends it from here too: the main thread may never come back."""
        import os

        if not isinstance(why, SystemExit):
            print(f"midplane: {why}", file=sys.stderr)
            self.line.refuse(65_535 << 32, "protocol_error", str(why))
        os._exit(0 if isinstance(why, SystemExit) else 1)
