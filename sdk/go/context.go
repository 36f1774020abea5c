package midplane

import (
	"context"
	"encoding/json"

	"midplane.dev/sdk/go/internal/seam"
)

// Context is what an action or hook gets: a context.Context that ends when the caller gives up, and the host API. It may
// be used by several goroutines, also after the call has returned: what is asked then is background work of the
// plugin's own, and the context is cancelled but the host still answers.
//
// Every function of the host API may answer permission_denied (the plugin was not granted it) or not_supported (this
// host does not do it), as an [*Error].
type Context struct {
	context.Context
	scope  *seam.Scope
	action string
}

// Caller is one of those who wait for a call.
type Caller struct {
	// Plugin is the id of the waiting plugin.
	Plugin string
	// Action is the action that it is in; empty in a hook.
	Action string
}

// Identity is what the host said to this instance about itself.
type Identity struct {
	// ID and Version are the plugin's.
	ID, Version string
	// Generation is which loaded version this is; it grows with each reload.
	Generation uint64
	// Instance is the number of this instance within its generation, from 0.
	Instance uint32
}

// Plugin is who this is.
func (c Context) Plugin() Identity {
	if c.scope.Identity == nil {
		return Identity{}
	}
	return Identity(*c.scope.Identity)
}

// Action is the action that is called; empty in hooks.
func (c Context) Action() string {
	return c.action
}

// Callers are the plugins that wait for this call, innermost first. None means that the host calls for itself, or that
// the plugin is a module or a library: callers, trace and deadline are the host's alone there.
func (c Context) Callers() []Caller {
	callers := make([]Caller, len(c.scope.Callers))
	for position, link := range c.scope.Callers {
		callers[position] = Caller(link)
	}
	return callers
}

// Trace is the W3C traceparent of the call, or empty.
func (c Context) Trace() string {
	return c.scope.Trace
}

// Host asks the host by the name of a function of the contract: the way for functions that this package has no method
// for. Args is a value with a JSON object as its form, nil for {}; at most 64 KiB of it.
func (c Context) Host(function string, args any, payload []byte) ([]byte, error) {
	var text []byte
	if args != nil {
		var err error
		if text, err = marshal(args); err != nil {
			return nil, Errorf("invalid_input", "the arguments of %s have no JSON: %v", function, err)
		}
	}
	answer, err := c.scope.Host.Ask(c.scope, function, text, payload)
	if err != nil {
		return nil, answered(err)
	}
	return answer, nil
}

// fields are the arguments of a function of the host API.
type fields map[string]any

// read asks and reads the answer as JSON.
func (c Context) read(function string, args fields, payload []byte, into any) error {
	answer, err := c.Host(function, args, payload)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return Errorf("protocol_error", "the host's answer to %s does not fit: %v", function, err)
	}
	return nil
}

// do asks for something that has no answer.
func (c Context) do(function string, args fields, payload []byte) error {
	_, err := c.Host(function, args, payload)
	return err
}
