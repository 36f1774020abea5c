// A plugin without any hook, in Go: one source for every build, as ../probe-go. Its one action answers with the value of
// `color` in its configuration.
package main

import midplane "midplane.dev/sdk/go"

var plugin = midplane.New().Action("color", color)

func color(ctx midplane.Context) (string, error) {
	var color string
	err := ctx.ConfigValue("color", &color)
	return `"` + color + `"`, err
}

func main() {
	midplane.Serve(plugin)
}
