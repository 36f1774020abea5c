package main

import (
	"fmt"
	"os"
	"strings"

	midplane "midplane.dev/sdk/go"
)

// printed is the input of `print`.
type printed struct {
	// Stream is stdout or stderr.
	Stream string `json:"stream"`
	Text   string `json:"text"`
}

func surroundings(plugin *midplane.Plugin) {
	plugin.
		Action("process", func(midplane.Context) (map[string]any, error) { return map[string]any{"pid": processID()}, nil }).
		Describe("{pid} of the process that this runs in; null in WebAssembly").
		Action("environment", func(midplane.Context) (map[string]string, error) {
			all := map[string]string{}
			for _, variable := range os.Environ() {
				name, value, _ := strings.Cut(variable, "=")
				all[name] = value
			}
			return all, nil
		}).
		Describe("The environment's variables").
		Action("print", func(_ midplane.Context, printed printed) error {
			switch printed.Stream {
			case "stdout":
				fmt.Println(printed.Text)
			case "stderr":
				fmt.Fprintln(os.Stderr, printed.Text)
			default:
				return midplane.Errorf("invalid_input", "%s is no stream", printed.Stream)
			}
			return nil
		}).
		Describe("{stream, text}: writes a line to standard output or error")
}
