package main

import (
	"encoding/json"

	midplane "midplane.dev/sdk/go"
)

// call is the input of `call`.
type call struct {
	Address string `json:"address"`
	// Input is text, which goes as its bytes, or any other value, which goes as JSON.
	Input    json.RawMessage `json:"input"`
	Deadline *uint64         `json:"deadline_ms"`
}

// ask is the input of `host`.
type ask struct {
	Function string          `json:"function"`
	Args     json.RawMessage `json:"args"`
	Payload  string          `json:"payload"`
}

// line is the input of `log`.
type line struct {
	Level   midplane.Level `json:"level"`
	Message string         `json:"message"`
	Fields  map[string]any `json:"fields"`
}

func reaching(plugin *midplane.Plugin) {
	plugin.
		Action("call", func(ctx midplane.Context, call call) ([]byte, error) {
			input := []byte(call.Input)
			var text string
			if json.Unmarshal(input, &text) == nil && string(input) != "null" {
				input = []byte(text)
			} else if len(input) == 0 {
				input = []byte("null")
			}
			args := map[string]any{"address": call.Address}
			if call.Deadline != nil {
				args["deadline_ms"] = *call.Deadline
			}
			return ctx.Host("call", args, input)
		}).
		Describe("{address, input?, deadline_ms?}: calls another plugin and answers with its reply, or its error").
		Action("host", func(ctx midplane.Context, ask ask) ([]byte, error) {
			if len(ask.Args) == 0 {
				ask.Args = json.RawMessage("{}")
			}
			return ctx.Host(ask.Function, ask.Args, []byte(ask.Payload))
		}).
		Describe("{function, args?, payload?}: asks the host and answers with what it says, or its error").
		Action("log", func(ctx midplane.Context, line line) error {
			switch line.Level {
			case midplane.LevelTrace, midplane.LevelDebug, midplane.LevelInfo, midplane.LevelWarn, midplane.LevelError:
			default:
				return midplane.Errorf("invalid_input", "%s is no level", line.Level)
			}
			var fields []any
			for key, value := range line.Fields {
				fields = append(fields, key, value)
			}
			ctx.Log(line.Level, line.Message, fields...)
			return nil
		}).
		Describe("{level, message, fields?}: writes a line to the log")
}
