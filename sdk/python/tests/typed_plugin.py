"""A plugin with types: what `mypy` is to find nothing wrong with."""

import midplane
from typing import Any
plugin = midplane.Plugin(description="x")

@plugin.action
def greet(input: Any, ctx: midplane.Context) -> "dict[str, str]":
    value: "bytes | None" = ctx.state.get("k")
    reply: Any = ctx.call("a/b", 1)
    ctx.info("x", n=1)
    return {"hello": input["name"]}

@plugin.action("other", raw=True)
async def other(input: bytes, ctx: midplane.AsyncContext) -> bytes:
    value: "bytes | None" = await ctx.state.get("k")
    await ctx.bus.publish("t", {"a": 1})
    return await ctx.random(4)

@plugin.on_init
def init(config: "dict[str, Any]", ctx: midplane.Context) -> None: ...
