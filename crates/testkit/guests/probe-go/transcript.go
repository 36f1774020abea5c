package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	midplane "midplane.dev/sdk/go"
)

// step is one of the script of `transcript`.
type step struct {
	Function string          `json:"function"`
	Args     json.RawMessage `json:"args"`
	// Payload is bytes, as hexadecimal digits.
	Payload string `json:"payload"`
}

func transcript(plugin *midplane.Plugin) {
	plugin.
		Action("transcript", func(ctx midplane.Context, script []step) (string, error) {
			var lines []string
			for _, step := range script {
				payload, err := hex.DecodeString(step.Payload)
				if err != nil {
					return "", err
				}
				line, err := play(ctx, step, payload)
				if err != nil {
					return "", err
				}
				lines = append(lines, line)
			}
			return strings.Join(lines, "\n"), nil
		}).
		Describe("[{function, args, payload?}], payloads in hexadecimal: asks the host for one after the other and answers with " +
			"a line for each, `ok REPLY` or `error CODE MESSAGE`, reply and message in hexadecimal")
}

func play(ctx midplane.Context, step step, payload []byte) (string, error) {
	reply, err := ctx.Host(step.Function, step.Args, payload)
	var refused *midplane.Error
	switch {
	case err == nil:
		return fmt.Sprintf("ok %x", reply), nil
	case errors.As(err, &refused):
		return fmt.Sprintf("error %s %x", refused.Code, refused.Message), nil
	}
	return "", err
}
