"""What a plugin offers."""

from __future__ import annotations

from ._handlers import HOOK_ARGUMENTS, HOOK_NAMES, Action, Handler, hook_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional, TypeVar, overload

    Function = TypeVar("Function", bound=Callable[..., Any])


class Plugin:
    """A plugin's actions and hooks. Make one at the top level of the module that ``entry.main`` names.

    The keywords are fields of the plugin's own description (``description``, ``author``, ``license``, ``homepage``,
    ``tags``, ``capabilities``, …). Id, name and version come from the manifest.
    """

    def __init__(self, **info: Any) -> None:
        self._info = info
        self._actions: "dict[str, Action]" = {}
        self._hooks: "dict[int, Handler]" = {}

    if TYPE_CHECKING:

        @overload
        def action(self, function: Function, /) -> Function: ...
        @overload
        def action(
            self,
            name: Optional[str] = None,
            *,
            raw: bool = False,
            description: Optional[str] = None,
            idempotent: bool = False,
            deadline: Optional[float] = None,
            input: Any = None,
            output: Any = None,
        ) -> Callable[[Function], Function]: ...

    def action(
        self,
        name: Any = None,
        *,
        raw: bool = False,
        description: Optional[str] = None,
        idempotent: bool = False,
        deadline: Optional[float] = None,
        input: Any = None,
        output: Any = None,
    ) -> Any:
        """Makes a function ``(input, ctx)`` an action, under its own name or another.

        Its input is parsed JSON (None for no bytes). Its result goes out as JSON; bytes go out as they are, None as no
        bytes, and each item of a generator (bytes or text) as a chunk. ``async def`` runs on an asyncio loop.

        raw: takes and gives bytes as they are (text as UTF-8).
        description: one sentence for people; the first line of the docstring unless it is said.
        idempotent: a call may be repeated without changing the outcome.
        deadline: longest time of a call in seconds; the host's 30 s unless it is said.
        input, output: JSON Schemas.
        """
        milliseconds = None if deadline is None else max(1, round(deadline * 1000))
        facts = {"description": description, "idempotent": idempotent, "deadline_ms": milliseconds,
                 "input": input, "output": output}

        def take(function: Any, called: "Optional[str]" = None) -> Any:
            action = Action(called or function.__name__, function, raw, facts)
            if action.name in self._actions:
                raise ValueError(f"there are two actions {action.name}")
            self._actions[action.name] = action
            return function

        if callable(name):
            return take(name)
        return lambda function: take(function, name)

    def hook(self, name: str) -> "Callable[[Function], Function]":
        """Makes a function the hook of this name, Python's (``on_init``) or the contract's (``init``).

        Every hook has a decorator of its own too: ``@plugin.on_init``.
        """
        number = hook_number(name)
        if number is None:
            raise ValueError(f"there is no hook {name}; there are {', '.join(HOOK_NAMES)}")

        def take(function: Any) -> Any:
            if number in self._hooks:
                raise ValueError(f"there are two hooks {name}")
            self._hooks[number] = Handler(function, HOOK_ARGUMENTS[number], f"the hook {name}")
            return function

        return take

    def info(self, function: Function) -> Function:
        """``info(ctx)`` → a dict that describes the plugin; needed only where there is no manifest."""
        return self.hook("info")(function)

    def on_validate_config(self, function: Function) -> Function:
        """``(config, ctx)``: raise :class:`PluginError` to refuse a configuration before it is accepted."""
        return self.hook("on_validate_config")(function)

    def on_init(self, function: Function) -> Function:
        """``(config, ctx)``: once, before anything else."""
        return self.hook("on_init")(function)

    def on_start(self, function: Function) -> Function:
        """``(ctx)``: calls begin."""
        return self.hook("on_start")(function)

    def on_stop(self, function: Function) -> Function:
        """``(ctx)``: calls have ended."""
        return self.hook("on_stop")(function)

    def on_cleanup(self, function: Function) -> Function:
        """``(ctx)``: before the plugin is unloaded."""
        return self.hook("on_cleanup")(function)

    def on_health_check(self, function: Function) -> Function:
        """``(ctx)`` → ``{"status": "healthy" | "degraded" | "unhealthy", "details": {…}}``, or the status alone."""
        return self.hook("on_health_check")(function)

    def ping(self, function: Function) -> Function:
        """``(ctx)``: whether the plugin lives. Without it the process answers for itself."""
        return self.hook("ping")(function)

    def get_config(self, function: Function) -> Function:
        """``(ctx)`` → the configuration in effect."""
        return self.hook("get_config")(function)

    def on_config_changed(self, function: Function) -> Function:
        """``(config, ctx)``: a live change. Raise :class:`PluginError` to refuse it."""
        return self.hook("on_config_changed")(function)

    def on_event(self, function: Function) -> Function:
        """``(event, ctx)``: an event of a subscribed topic, as the dict of its envelope. What it returns is the answer
        where the event is a request; None is no answer."""
        return self.hook("on_event")(function)

    def on_dependency_changed(self, function: Function) -> Function:
        """``(id, available, ctx)``: an optional dependency came or went."""
        return self.hook("on_dependency_changed")(function)

    def export_state(self, function: Function) -> Function:
        """``(ctx)`` → bytes or text: the state for the next version."""
        return self.hook("export_state")(function)

    def import_state(self, function: Function) -> Function:
        """``(state, ctx)``: the bytes that the version before exported."""
        return self.hook("import_state")(function)

    def migrate(self, function: Function) -> Function:
        """``(from_schema, state, ctx)`` → bytes: an older state in the present layout."""
        return self.hook("migrate")(function)

    def migrate_back(self, function: Function) -> Function:
        """``(from_schema, state, ctx)`` → bytes: the present state in an older layout."""
        return self.hook("migrate_back")(function)
