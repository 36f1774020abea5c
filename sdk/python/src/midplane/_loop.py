"""Serves a plugin that has coroutines: everything happens on one asyncio loop, on the main thread.

Between calls the loop runs too, so that tasks that the plugin made go on. Synchronous functions of such a plugin run on
the spot and hold the loop up, as they do in any asyncio program.
"""

from __future__ import annotations

import asyncio
import select
import sys

from ._failures import encoded, panicked, record
from ._frames import CALL, HOOK, STREAM, DONE, Breach
from ._plugin_code import action_input, action_output, chunk, hook_input, hook_output, is_async_chunks, is_chunks
from ._session import Session
from .context import AsyncContext
from .errors import Cancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._wire import Request

# Seconds that tasks get to end in when the process does; the host kills after 1.
FAREWELL = 0.5


def run(session: Session) -> None:
    """Until the host says so: then SystemExit."""
    loop = session.loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    turns = Turns(session)
    session.more = asyncio.Event()
    loop.add_reader(session.descriptor, turns.readable)
    loop.call_soon(turns.advance)
    try:
        loop.run_forever()
    finally:
        turns.farewell()


class Turns:
    """One request at a time, as coroutines where the plugin's functions are."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.poll = select.poll()
        self.poll.register(session.descriptor, select.POLLIN)

    def readable(self) -> None:
        """The descriptor has something, unless the watcher has taken it."""
        session = self.session
        try:
            if session.reading.acquire(False):
                try:
                    if self.poll.poll(0):
                        session.fill()
                finally:
                    session.reading.release()
            self.advance()
        except Breach as why:
            session.fail(why)

    def advance(self) -> None:
        """Begins what waits, unless something runs."""
        session = self.session
        while session.waiting and session.task is None:
            request = session.waiting.pop(0)
            if not self.begin(request):
                session.handle(request)

    def begin(self, request: Request) -> bool:
        """Begins a coroutine; whether it is one."""
        session, kind, number = self.session, request[0], request[4]
        if kind == CALL and session.opened and number < len(session.actions):
            work: Any = session.actions[number]
        else:
            work = session.plugin._hooks.get(number) if kind == HOOK and session.opened else None
        if work is None or not work.is_async or request[2] != 0:
            return False
        session.turn = request[3]
        if session.cancelled == request[3]:
            session.cancelled = 0
        session.task = session.loop.create_task(self.work(request, work))
        session.task.add_done_callback(self.over)
        return True

    def over(self, task: Any) -> None:
        """The coroutine has answered."""
        self.session.task = None
        self.session.turn = 0
        if not task.cancelled() and isinstance(task.exception(), SystemExit):
            raise task.exception()
        self.session.loop.call_soon(self.advance)

    async def work(self, request: Request, work: Any) -> None:
        """Runs it and answers."""
        session, key = self.session, request[3]
        try:
            if request[0] == CALL:
                await self.call(key, request, work)
            else:
                await self.hook(key, request, work)
        except SystemExit:
            raise
        except asyncio.CancelledError as why:
            told = record(Cancelled()) if session.cancelled == key else panicked(why)
            session.send_error(key, encoded(told))
        except BaseException as why:
            session.send_error(key, encoded(record(why, session.memory_limit)))

    async def call(self, key: int, request: Request, action: Any) -> None:
        given = action_input(action, request[7])
        answer = action.run(given, AsyncContext(self.session, key, action.name, request[6], request[5]))
        if not is_async_chunks(answer):
            answer = await answer
        if is_async_chunks(answer):
            return await self.stream(key, request[1] & STREAM, answer)
        if is_chunks(answer):
            return await self.stream(key, request[1] & STREAM, _each(answer))
        await self.answer(key, action_output(action, answer))

    async def hook(self, key: int, request: Request, handler: Any) -> None:
        number = request[4]
        given = hook_input(number, request[7])
        answer = await handler.run(*given, AsyncContext(self.session, key, None, request[6], request[5]))
        self.session.hooked(number, given)
        await self.answer(key, hook_output(number, answer))

    async def answer(self, key: int, body: bytes) -> None:
        session = self.session
        if len(body) > session.chunk:
            session.credit[key] = session.window
            await self.pieces(key, body)
            session.credit.pop(key, None)
            body = b""
        session.send(DONE, key, body)

    async def stream(self, key: int, wanted: int, items: Any) -> None:
        """As :meth:`Session.stream`."""
        session = self.session
        session.credit[key] = session.window
        held = bytearray()
        try:
            async for item in items:
                piece = chunk(item)
                if wanted:
                    await self.pieces(key, piece)
                    continue
                held += piece
                if len(held) >= session.chunk:
                    await self.pieces(key, bytes(held))
                    held.clear()
        finally:
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()
        await self.pieces(key, bytes(held))
        session.credit.pop(key, None)
        session.send(DONE, key)

    async def pieces(self, key: int, body: bytes) -> None:
        session, at = self.session, 0
        while at < len(body):
            while session.credit[key] <= 0:
                session.more.clear()
                await session.more.wait()
            at += session.piece(key, body, at)

    def farewell(self) -> None:
        """Ends what the plugin has left running."""
        loop = self.session.loop
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=FAREWELL))
        sys.stdout.flush()


async def _each(items: Any) -> Any:
    for item in items:
        yield item
