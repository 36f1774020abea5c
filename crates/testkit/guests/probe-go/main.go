// The plugin that the conformance suite drives, in Go: as ../probe, one source for every build. What each action takes
// and gives stands at its function.
//
//	go build -o probe .
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o probe.wasm .
//	go build -tags midplane_cshared -buildmode=c-shared -o libprobe.so .
package main

import (
	"encoding/json"

	midplane "midplane.dev/sdk/go"
)

// version is what `version` answers. The bytes stand in the binary as they are: a test makes changed code by writing
// others of the same length over them.
var version = "probe-version-01"

// The state of the instance.
var (
	// given is the whole configuration in effect.
	given = json.RawMessage("null")
	// acts is what it makes the probe do.
	acts    config
	counter uint64
	history = []string{}
	// events are the data of the events that came, in order.
	events = []json.RawMessage{}
	// kept is what allocate was told to keep.
	kept [][]byte
)

var plugin = define(midplane.New())

func main() {
	midplane.Serve(plugin)
}

func define(plugin *midplane.Plugin) *midplane.Plugin {
	plain(plugin)
	hooks(plugin)
	failing(plugin)
	load(plugin)
	reaching(plugin)
	transcript(plugin)
	surroundings(plugin)
	return plugin
}

// add is the input of `counter`. No input at all adds one.
type add struct {
	Add *uint64 `json:"add"`
}

func plain(plugin *midplane.Plugin) {
	plugin.
		Action("echo", func(_ midplane.Context, input []byte) ([]byte, error) { return input, nil }).
		Describe("The input").
		Idempotent().
		Action("version", func(midplane.Context) (string, error) { return version, nil }).
		Describe("A constant of the code").
		Action("config", func(midplane.Context) (json.RawMessage, error) { return given, nil }).
		Describe("The configuration in effect").
		Action("counter", func(_ midplane.Context, add add) (uint64, error) {
			more := uint64(1)
			if add.Add != nil {
				more = *add.Add
			}
			counter += more
			return counter, nil
		}).
		Describe("{add?}: adds to this instance's counter, one unless it is said, and answers with it").
		Action("events", func(midplane.Context) ([]json.RawMessage, error) { return events, nil }).
		Describe("The data of the events that this instance got, in order").
		Action("history", func(midplane.Context) ([]string, error) { return history, nil }).
		Describe("The hooks that ran on this instance, in order").
		Action("identity", func(ctx midplane.Context) (map[string]any, error) {
			own := ctx.Plugin()
			return map[string]any{
				"id": own.ID, "version": own.Version, "generation": own.Generation, "number": own.Instance,
			}, nil
		}).
		Describe("What the host said to this instance about itself")
}
