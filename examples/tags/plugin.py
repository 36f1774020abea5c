"""What the host sees: two actions. The reading itself is in `reading.py`."""

import json

import midplane

import reading

plugin = midplane.Plugin()


def opened(file):
    try:
        return reading.Sound(file)
    except reading.Unreadable as why:
        raise midplane.PluginError(why.code, str(why)) from why


@plugin.action(raw=True, idempotent=True)
def read(file, ctx):
    """A sound file in, its tags and technical facts as JSON out."""
    facts = opened(file).facts()
    wanted = ctx.config.get("only")
    if wanted is not None:
        facts["tags"] = {name: values for name, values in facts["tags"].items() if name in wanted}
    return json.dumps(facts, ensure_ascii=False)


@plugin.action(raw=True, idempotent=True)
def picture(file, ctx):
    """A sound file in, the first picture in it as its bytes out."""
    found = opened(file).pictures()
    if not found:
        raise midplane.PluginError("no_picture", "the file holds no picture")
    ctx.debug("picture", type=found[0].type, bytes=len(found[0].data))
    return found[0].data
