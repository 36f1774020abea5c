// Package midplanetest drives a plugin in a unit test, without a host.
//
//	func TestGreet(t *testing.T) {
//		bench := midplanetest.New(t, plugin)
//		reply, err := bench.Call("greet", `{"name": "Ada"}`)
//		if err != nil || string(reply) != `{"hello":"Ada"}` {
//			t.Fatalf("%s, %v", reply, err)
//		}
//		if len(bench.Asked("log")) != 1 {
//			t.Error("it does not say that it greets")
//		}
//	}
package midplanetest

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	midplane "midplane.dev/sdk/go"
	"midplane.dev/sdk/go/internal/seam"
)

// Asked is what a plugin asked of the host.
type Asked struct {
	// Function is its name: log, state.get, …
	Function string
	// Args are its arguments, a JSON object.
	Args json.RawMessage
	// Payload is its bytes.
	Payload []byte
}

// Answer is what the host says to it. An error of type *midplane.Error keeps its code.
type Answer func(asked Asked) ([]byte, error)

// Bench is one instance of a plugin on a test bench: named "test", with no hook run yet. The host that it sees answers
// with what [Bench.Answer] says. Without that, state (in memory), configuration, log, clocks, chance, publishing,
// subscribing and metrics are answered as a host does, and everything else is not_supported.
type Bench struct {
	t      testing.TB
	plugin seam.Plugin
	ctx    context.Context
	// caller and trace of the next calls.
	callers []seam.Link
	trace   string

	config json.RawMessage
	since  time.Time

	lock    sync.Mutex
	asked   []Asked
	answers map[string]Answer
	state   map[string][]byte
}

// New puts a plugin on a bench. The plugin's variables are those of the program: what one test leaves in them the next
// one finds.
func New(t testing.TB, plugin *midplane.Plugin) *Bench {
	t.Helper()
	return &Bench{
		t: t, plugin: seam.Inside(plugin), ctx: context.Background(), config: json.RawMessage("{}"), since: time.Now(),
		answers: map[string]Answer{}, state: map[string][]byte{},
	}
}

// Config is the configuration that the context gives; {} unless it is said. A value with a JSON form, or its text.
func (b *Bench) Config(config any) *Bench {
	b.t.Helper()
	b.config = b.bytes(config)
	return b
}

// Answer says what the host answers to a function. A later answer takes the place of an earlier one.
func (b *Bench) Answer(function string, answer Answer) *Bench {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.answers[function] = answer
	return b
}

// Within has the next calls and hooks run in this context: with a deadline, or cancelled by the test.
func (b *Bench) Within(ctx context.Context) *Bench {
	b.ctx = ctx
	return b
}

// From has the next calls and hooks made on behalf of these callers, innermost first, with this W3C traceparent.
func (b *Bench) From(trace string, callers ...midplane.Caller) *Bench {
	b.callers, b.trace = nil, trace
	for _, caller := range callers {
		b.callers = append(b.callers, seam.Link(caller))
	}
	return b
}

// Call calls an action and gives its whole reply. Input is []byte or string as it is, nil for none, and any other value
// as JSON. The error is the plugin's own, an *midplane.Error; a panic fails the test.
func (b *Bench) Call(action string, input any) ([]byte, error) {
	b.t.Helper()
	chunks, err := b.Chunks(action, input)
	var whole []byte
	for _, chunk := range chunks {
		whole = append(whole, chunk...)
	}
	return whole, err
}

// CallJSON calls an action and reads its reply as JSON into a value.
func (b *Bench) CallJSON(action string, input, into any) error {
	b.t.Helper()
	reply, err := b.Call(action, input)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(reply, into); err != nil {
		b.t.Fatalf("the reply of %s is %q: %v", action, reply, err)
	}
	return nil
}

// Chunks calls an action as a caller who reads a stream does, and gives every chunk.
func (b *Bench) Chunks(action string, input any) ([][]byte, error) {
	b.t.Helper()
	for number, name := range b.plugin.Actions() {
		if name == action {
			var taken taker
			failed := b.plugin.Call(b.scope(), number, b.bytes(input), &taken)
			return taken.chunks, b.told(action, failed)
		}
	}
	return nil, midplane.Errorf("action_not_found", "the plugin has no action %s", action)
}

// Hook runs a hook by its name in the contract: init, health, export_state, … The second result says whether the plugin
// has it.
func (b *Bench) Hook(hook string, input any) ([]byte, bool, error) {
	b.t.Helper()
	number, known := seam.HookNamed(hook)
	if !known {
		b.t.Fatalf("there is no hook %q", hook)
	}
	if b.plugin.Hooks()&(1<<number) == 0 {
		return nil, false, nil
	}
	var taken taker
	failed := b.plugin.Hook(b.scope(), number, b.bytes(input), &taken)
	var whole []byte
	for _, chunk := range taken.chunks {
		whole = append(whole, chunk...)
	}
	return whole, true, b.told(hook, failed)
}

// Actions are the names of the plugin's actions, in their order.
func (b *Bench) Actions() []string {
	return b.plugin.Actions()
}

// Asked is all that the plugin asked of a function so far.
func (b *Bench) Asked(function string) []Asked {
	b.lock.Lock()
	defer b.lock.Unlock()
	var found []Asked
	for _, asked := range b.asked {
		if asked.Function == function {
			found = append(found, asked)
		}
	}
	return found
}

func (b *Bench) scope() *seam.Scope {
	identity := &seam.Identity{ID: "test", Version: "0.0.0", Generation: 1}
	return &seam.Scope{Context: b.ctx, Identity: identity, Callers: b.callers, Trace: b.trace, Host: (*host)(b)}
}

func (b *Bench) bytes(input any) []byte {
	b.t.Helper()
	switch input := input.(type) {
	case nil:
		return nil
	case []byte:
		return append([]byte(nil), input...)
	case string:
		return []byte(input)
	}
	text, err := json.Marshal(input)
	if err != nil {
		b.t.Fatalf("an input that has no JSON: %v", err)
	}
	return text
}

func (b *Bench) told(what string, failed *seam.Failure) error {
	b.t.Helper()
	switch {
	case failed == nil:
		return nil
	case failed.Panicked:
		b.t.Fatalf("%s panicked: %s\n%v", what, failed.Message, failed.Data["stack"])
	}
	record := failed.Record
	return &midplane.Error{Code: record.Code, Message: record.Message, Recoverable: record.Recoverable, Data: record.Data}
}

// taker takes a reply chunk by chunk.
type taker struct{ chunks [][]byte }

func (t *taker) Write(chunk []byte) error {
	t.chunks = append(t.chunks, append([]byte(nil), chunk...))
	return nil
}
