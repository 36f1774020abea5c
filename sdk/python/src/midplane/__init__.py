"""Write Midplane plugins in Python.

A plugin is a module with a :class:`Plugin`, or a plain module with functions of the hooks' names and a dict or list
called ``actions``::

    import midplane

    plugin = midplane.Plugin()

    @plugin.action
    def greet(input, ctx):
        return {"hello": input["name"]}

``midplane.testing`` drives a plugin in a unit test, without a host.
"""

from .errors import Cancelled, HostError, PluginError
from .context import AsyncContext, Context, Identity
from .plugin import Plugin

__version__ = "0.1.0"
__all__ = ["AsyncContext", "Cancelled", "Context", "HostError", "Identity", "Plugin", "PluginError", "__version__"]
