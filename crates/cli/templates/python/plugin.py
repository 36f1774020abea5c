import midplane

plugin = midplane.Plugin()


@plugin.action
def greet(input, ctx):
    """Says hello to the name that it is given."""
    if not isinstance(input, dict) or not isinstance(input.get("name"), str):
        raise midplane.PluginError("invalid_input", "the name is missing")
    return {"hello": input["name"]}
