"""A plugin's file as a :class:`Plugin`."""

from __future__ import annotations

import sys

from ._handlers import HOOK_NAMES
from ._values import Refused
from .plugin import Plugin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Tuple


def load(path: str) -> "Tuple[Plugin, ModuleType]":
    """Runs the file as a module and finds the plugin in it.

    Raises :class:`Refused` ``not_a_plugin`` for what is no Python, imports what is not there or offers nothing; whatever
    else the module raises passes.
    """
    folder, _, file = path.rpartition("/")
    name = file.rpartition(".")[0] or file
    if name in sys.modules or not name.isidentifier():
        name = "midplane_plugin"
    module = type(sys)(name)
    module.__file__ = path
    if folder not in sys.path:
        # After the SDK, before everything else, as for any program.
        sys.path.insert(1, folder)
    # Compiled anew each time: what Python caches beside the file is told apart by the second, and a plugin's folder is
    # not ours to write in.
    sys.dont_write_bytecode = True
    code = _compiled(path)
    sys.modules[name] = module
    try:
        exec(code, module.__dict__)
    except ImportError as why:
        raise Refused(
            "not_a_plugin", f"{file} cannot be imported: {why}",
            "name the package in requirements.txt beside plugin.yaml, or put the module into the plugin's folder",
        ) from why
    return find(module), module


def _compiled(path: str) -> "Any":
    try:
        with open(path, "rb") as source:
            return compile(source.read(), path, "exec", dont_inherit=True)
    except OSError as why:
        raise Refused("not_a_plugin", f"{path} cannot be read: {why.strerror}",
                      "let entry.main name a file that exists") from None
    except (SyntaxError, ValueError) as why:
        line = f":{why.lineno}" if isinstance(why, SyntaxError) and why.lineno else ""
        text = getattr(why, "msg", None) or why
        version = ".".join(map(str, sys.version_info[:2]))
        raise Refused("not_a_plugin", f"{path}{line} is no Python {version}: {text}", "correct that line") from None


def find(module: "ModuleType") -> Plugin:
    """The plugin in a module: its :class:`Plugin`, and its functions with the names of hooks and ``actions``."""
    found = [value for value in vars(module).values() if isinstance(value, Plugin)]
    found = [value for at, value in enumerate(found) if not any(value is other for other in found[:at])]
    if len(found) > 1:
        raise Refused("not_a_plugin", f"{module.__name__} makes {len(found)} plugins", "make one midplane.Plugin()")
    plugin = found[0] if found else Plugin()
    _take_hooks(plugin, module)
    _take_actions(plugin, getattr(module, "actions", None))
    if not plugin._actions and not plugin._hooks:
        raise Refused(
            "not_a_plugin", f"{module.__name__} offers no action and no hook",
            "make `plugin = midplane.Plugin()` and put @plugin.action above a function, or name functions in a dict "
            "`actions`",
        )
    return plugin


def _take_hooks(plugin: Plugin, module: "ModuleType") -> None:
    for name, value in list(vars(module).items()):
        if name == "info" and isinstance(value, dict):
            plugin._info = {**value, **plugin._info}
        elif name in HOOK_NAMES and callable(value) and getattr(value, "__module__", None) == module.__name__:
            if not any(handler.function is value for handler in plugin._hooks.values()):
                plugin.hook(name)(value)
        elif name.startswith("on_") and name not in HOOK_NAMES and _is_stray(plugin, module, value):
            raise Refused("not_a_plugin", f"{name} is no hook", f"the hooks are {', '.join(HOOK_NAMES)}; an action of "
                          "this name gets @plugin.action or stands in `actions`")


def _is_stray(plugin: Plugin, module: "ModuleType", value: "Any") -> bool:
    """Whether a function is neither an action nor a hook by another name."""
    if not callable(value) or isinstance(value, type) or getattr(value, "__module__", None) != module.__name__:
        return False
    actions = getattr(module, "actions", None) or ()
    named = list(actions.values()) if isinstance(actions, dict) else list(actions)
    used = named + [handler.function for handler in plugin._hooks.values()]
    return not any(value is other for other in used) and value.__name__ not in plugin._actions


def _take_actions(plugin: Plugin, actions: "Any") -> None:
    if actions is None or isinstance(actions, Plugin):
        return
    if isinstance(actions, dict):
        for name, function in actions.items():
            plugin.action(name)(function)
    elif isinstance(actions, (list, tuple)):
        for function in actions:
            plugin.action(function)
    else:
        raise Refused("not_a_plugin", f"`actions` is a {type(actions).__name__}", "make it a dict or a list of functions")


def build_id(main: str, folder: str) -> str:
    """A hash of the sources that were loaded from the plugin's folder."""
    files = {main}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.startswith(folder + "/") and "/site-packages/" not in file:
            files.add(file)
    digest = _sha256()
    for file in sorted(files):
        with open(file, "rb") as source:
            content = source.read()
        digest.update(b"%d %d\0" % (len(file) - len(folder), len(content)))
        digest.update(file[len(folder) :].encode("utf-8", "surrogateescape") + content)
    return digest.hexdigest()[:32]


def _sha256() -> "Any":
    # hashlib brings OpenSSL along, which takes longer than all the rest.
    for name in ("_sha2", "_sha256"):
        try:
            return __import__(name).sha256()
        except ImportError:
            pass
    import hashlib

    return hashlib.sha256()
