"""A plugin without any hook, in Python. Its one action answers with the value of ``color`` in its configuration."""


def color(input, ctx):
    return ctx.config["color"]


actions = [color]
