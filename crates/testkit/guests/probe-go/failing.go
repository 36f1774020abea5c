package main

import (
	"os"
	"time"

	midplane "midplane.dev/sdk/go"
)

// failure is the input of `fail`: the error to answer with.
type failure struct {
	Code        string         `json:"code"`
	Message     string         `json:"message"`
	Recoverable bool           `json:"recoverable"`
	Data        map[string]any `json:"data"`
}

// hang is the input of `hang`. No input at all is good as well.
type hang struct {
	// Release is a file whose appearance ends it, outside of WebAssembly.
	Release string `json:"release"`
}

// exit is the input of `exit`.
type exit struct {
	Code int `json:"code"`
}

func failing(plugin *midplane.Plugin) {
	plugin.
		Action("fail", func(_ midplane.Context, failure failure) error {
			return &midplane.Error{
				Code: failure.Code, Message: failure.Message, Recoverable: failure.Recoverable, Data: failure.Data,
			}
		}).
		Describe("{code, message, recoverable, data}: answers with this error").
		Action("panic", func(_ midplane.Context, message string) error { panic(message) }).
		Describe("Panics with the input as its message").
		Action("abort", func(midplane.Context) error {
			abort()
			return nil
		}).
		Describe("Ends the process by SIGABRT, or traps").
		Action("exit", func(_ midplane.Context, exit exit) error {
			os.Exit(exit.Code)
			return nil
		}).
		Describe("{code}: ends the process with this code, or traps").
		Action("recurse", func(midplane.Context) (uint64, error) { return recurse(0), nil }).
		Describe("Calls itself until the stack is full").
		Action("hang", func(ctx midplane.Context, hang hang) error {
			hangUntil(ctx, hang.Release)
			return nil
		}).
		Describe("{release?}: logs `hanging`, then loops until it is interrupted; outside of WebAssembly also until the file exists").
		Action("wait", func(ctx midplane.Context) error {
			ctx.Info("waiting")
			<-ctx.Done()
			return ctx.Err()
		}).
		Describe("Logs `waiting`, then waits until its caller gives up")
}

// recurse makes no tail call and has a frame that cannot be folded away, so that the stack really fills.
//
//go:noinline
func recurse(depth uint64) uint64 {
	frame := [64]uint64{depth}
	sum := recurse(depth + 1)
	for _, number := range frame {
		sum += number
	}
	return sum
}

// turns is seen by everybody, so that no loop over it can be left out.
var turns uint64

// hangUntil loops without ever giving way, and without asking whether its caller still waits. The log line lets a test
// wait for the loop to have begun.
func hangUntil(ctx midplane.Context, release string) {
	ctx.Info("hanging")
	for {
		turns++
		if release == "" || !hasFiles {
			continue
		}
		if _, err := os.Stat(release); err == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
