// Package seam is where a plugin meets the ways that lead to its host. The plugin's side is written once, in package
// midplane; each way (wire, native, module) drives it through [Plugin] and lends it a [Host].
package seam

import (
	"context"
	"encoding/json"
)

// Plugin is a plugin as a way to the host drives it. One call or hook runs at a time; Info, Actions and Hooks may be
// asked for at any time.
type Plugin interface {
	// Info is the answer of the info hook: a JSON object.
	Info() []byte
	// Actions are the names of the actions; a position in it is an action's number.
	Actions() []string
	// Hooks has bit N set for each hook with number N that the plugin has. Info, number 0, it always has.
	Hooks() uint32
	// Call runs an action and writes its reply. Nil is success; a panic is caught and told as a failure.
	Call(scope *Scope, action int, input []byte, reply Sink) *Failure
	// Hook runs a hook that the plugin has.
	Hook(scope *Scope, hook Hook, input []byte, reply Sink) *Failure
}

// Sink is where the bytes of a reply go. Each write is a chunk for a caller who reads a stream. An error says that
// nobody reads any longer. Bytes are copied or sent before Write returns.
type Sink interface {
	Write(bytes []byte) error
}

// Host is the one wide function to the host.
type Host interface {
	// Ask waits for the host's answer, or until the context ends. Args are a JSON object; nil means {}.
	Ask(scope *Scope, function string, args, payload []byte) ([]byte, error)
}

// Scope is what a call or hook happens in.
type Scope struct {
	// Context ends when the caller gives up.
	Context context.Context
	// Identity is what the host said of this instance.
	Identity *Identity
	// Callers wait for this call, innermost first.
	Callers []Link
	// Trace is the W3C traceparent, or empty.
	Trace string
	// Host answers what the plugin asks.
	Host Host
}

// Identity is what an instance is told about itself.
type Identity struct {
	ID         string `json:"id"`
	Version    string `json:"version"`
	Generation uint64 `json:"generation"`
	Instance   uint32 `json:"number"`
}

// Link is one waiting caller.
type Link struct {
	Plugin string `json:"plugin"`
	Action string `json:"action,omitempty"`
}

// Record is an error as it travels.
type Record struct {
	Code        string         `json:"code"`
	Message     string         `json:"message"`
	Recoverable bool           `json:"recoverable"`
	Data        map[string]any `json:"data,omitempty"`
}

// Error shows code and message.
func (r *Record) Error() string {
	return r.Code + ": " + r.Message
}

// ReadRecord reads what a host answers instead of a result. What is no such record is its message.
func ReadRecord(text []byte) *Record {
	record := &Record{}
	if json.Unmarshal(text, record) != nil || record.Code == "" {
		return &Record{Code: "protocol_error", Message: string(text)}
	}
	return record
}

// Failure is why a call or hook has no reply.
type Failure struct {
	Record
	// Panicked says that the plugin's code panicked; otherwise the record is its own answer.
	Panicked bool
}

// The only plugin of this program, for ways that run no main function.
var made []Plugin

// Made notes a plugin that the program has made.
func Made(plugin Plugin) {
	made = append(made, plugin)
}

// Only is the program's one plugin.
func Only() (Plugin, *Failure) {
	if len(made) == 1 {
		return made[0], nil
	}
	text := "the program has more than one plugin: call midplane.New once"
	if len(made) == 0 {
		text = "the program has no plugin when it is loaded: call midplane.New in a package variable or in init, not in main"
	}
	return nil, &Failure{Record: Record{Code: "not_a_plugin", Message: text}}
}

// Inside gives the plugin behind a *midplane.Plugin. Package midplane sets it; midplanetest uses it.
var Inside func(outside any) Plugin
