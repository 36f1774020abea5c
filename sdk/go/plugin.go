package midplane

import (
	"fmt"

	"midplane.dev/sdk/go/internal/seam"
)

// Plugin is a plugin in the making: its actions and hooks. What is not added does not exist.
type Plugin struct {
	info    Info
	actions []action
	hooks   [seam.HookCount]handler
}

type action struct {
	actionInfo
	run handler
}

// handler is what every action and hook comes down to: bytes in, bytes out.
type handler func(ctx Context, input []byte, reply seam.Sink) error

// New begins the plugin of this program. Call it once, before main runs: in a package variable or in init.
func New() *Plugin {
	plugin := &Plugin{}
	seam.Made(inside{plugin})
	return plugin
}

// Action adds an action. Its function has one of these forms, where In and Out are types of your own:
//
//	func(ctx midplane.Context) error
//	func(ctx midplane.Context) (Out, error)
//	func(ctx midplane.Context, in In) error
//	func(ctx midplane.Context, in In) (Out, error)
//	func(ctx midplane.Context, in In, reply midplane.Reply) error
//
// In is read from the input as JSON, by the rules of encoding/json; no input at all leaves it at its zero value. A
// []byte gets the input as it is, a string the input as text. Out is written as JSON; a []byte or string goes out as it
// is, a nil pointer or interface as an empty reply. With a [Reply] the function writes its reply itself, in chunks.
//
// The input belongs to the function: it may keep it. Of two actions with one name the later one wins. Action panics on
// a function of another form.
func (p *Plugin) Action(name string, function any) *Plugin {
	run, err := handle(function)
	if err != nil {
		panic(fmt.Sprintf("midplane: the action %q: %v", name, err))
	}
	for position, earlier := range p.actions {
		if earlier.Name == name {
			p.actions = append(p.actions[:position], p.actions[position+1:]...)
			break
		}
	}
	p.actions = append(p.actions, action{actionInfo{Name: name}, run})
	return p
}

// inside is the plugin as backends drive it.
type inside struct {
	*Plugin
}

func init() {
	seam.Inside = func(outside any) seam.Plugin { return inside{outside.(*Plugin)} }
}

func (p inside) Info() []byte {
	return p.saysOfItself()
}

func (p inside) Actions() []string {
	names := make([]string, len(p.actions))
	for position, action := range p.actions {
		names[position] = action.Name
	}
	return names
}

func (p inside) Hooks() uint32 {
	bits := uint32(1) << seam.Info
	for number, run := range p.hooks {
		if run != nil {
			bits |= 1 << number
		}
	}
	return bits
}

func (p inside) Call(scope *seam.Scope, action int, input []byte, reply seam.Sink) *seam.Failure {
	if action < 0 || action >= len(p.actions) {
		text := fmt.Sprintf("no action has the number %d", action)
		return &seam.Failure{Record: seam.Record{Code: "action_not_found", Message: text}}
	}
	return guarded(p.actions[action].run, Context{scope.Context, scope, p.actions[action].Name}, input, reply)
}

func (p inside) Hook(scope *seam.Scope, hook seam.Hook, input []byte, reply seam.Sink) *seam.Failure {
	if hook == seam.Info {
		if err := reply.Write(p.saysOfItself()); err != nil {
			return failure(err)
		}
		return nil
	}
	if hook < 0 || int(hook) >= seam.HookCount || p.hooks[hook] == nil {
		text := fmt.Sprintf("the plugin has no hook %s", hook)
		return &seam.Failure{Record: seam.Record{Code: "not_supported", Message: text}}
	}
	return guarded(p.hooks[hook], Context{scope.Context, scope, ""}, input, reply)
}
