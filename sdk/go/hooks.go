package midplane

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"midplane.dev/sdk/go/internal/seam"
)

// Status is how a plugin is.
type Status string

// The three ways to be.
const (
	// Healthy: all is well.
	Healthy Status = "healthy"
	// Degraded: it works, but not as it should.
	Degraded Status = "degraded"
	// Unhealthy: it does not work.
	Unhealthy Status = "unhealthy"
)

// Health is the answer of the health hook.
type Health struct {
	// Status is the verdict.
	Status Status `json:"status"`
	// Details are anything worth showing beside it.
	Details map[string]any `json:"details,omitempty"`
}

// Event is an event of a subscribed topic.
type Event struct {
	// ID is a UUIDv7.
	ID string `json:"event_id"`
	// Type is the topic.
	Type string `json:"event_type"`
	// Sender is the plugin that published it, or "core".
	Sender string `json:"sender"`
	// Data is the event's data, as JSON.
	Data json.RawMessage `json:"data"`
	// Timestamp is when it was published, RFC 3339.
	Timestamp string `json:"timestamp"`
	// ContentType is the media type of Data; empty means JSON.
	ContentType string `json:"content_type"`
	// Trace is the W3C traceparent of the publisher.
	Trace string `json:"trace"`
}

// Dependency is an optional dependency that came or went.
type Dependency struct {
	// ID is the plugin's id.
	ID string `json:"id"`
	// Available says whether it can be called.
	Available bool `json:"available"`
}

// OnValidateConfig adds the check of a configuration before it is accepted; an error refuses it. The function is
// func(midplane.Context, C) error, where C is read from the configuration as JSON.
func (p *Plugin) OnValidateConfig(function any) *Plugin {
	return p.onConfig(seam.ValidateConfig, function)
}

// OnInit adds what runs once, before anything else, with the configuration: func(midplane.Context, C) error.
func (p *Plugin) OnInit(function any) *Plugin {
	return p.onConfig(seam.Init, function)
}

// OnConfigChanged adds what takes a live change of the configuration, the whole of it: func(midplane.Context, C) error.
// An error leaves the present one in effect.
func (p *Plugin) OnConfigChanged(function any) *Plugin {
	return p.onConfig(seam.ConfigChanged, function)
}

// OnGetConfig adds what tells the configuration in effect; any value that has a JSON form.
func (p *Plugin) OnGetConfig(function func(ctx Context) (any, error)) *Plugin {
	return p.gives(seam.GetConfig, func(ctx Context) (any, error) { return function(ctx) })
}

// OnStart adds what runs when calls begin. Goroutines that it starts may work until the stop hook.
func (p *Plugin) OnStart(function func(ctx Context) error) *Plugin {
	return p.plain(seam.Start, function)
}

// OnStop adds what runs when calls have ended.
func (p *Plugin) OnStop(function func(ctx Context) error) *Plugin {
	return p.plain(seam.Stop, function)
}

// OnCleanup adds the last thing that runs, before the plugin is unloaded.
func (p *Plugin) OnCleanup(function func(ctx Context) error) *Plugin {
	return p.plain(seam.Cleanup, function)
}

// OnHealthCheck adds what tells how the plugin is, asked every 30 s and on demand. An error counts as unhealthy.
func (p *Plugin) OnHealthCheck(function func(ctx Context) (Health, error)) *Plugin {
	return p.gives(seam.Health, func(ctx Context) (any, error) { return function(ctx) })
}

// OnPing adds what tells whether the plugin lives; an error says no. Without it, it lives while its process does.
func (p *Plugin) OnPing(function func(ctx Context) error) *Plugin {
	return p.plain(seam.Ping, function)
}

// OnEvent adds what takes the events of subscribed topics: func(midplane.Context, midplane.Event) ([Out, ]error). Where an
// event is a question, Out is the answer, in the forms of an action's reply; without it, and for nothing in it, another
// subscriber may answer.
func (p *Plugin) OnEvent(function any) *Plugin {
	form := reflect.TypeOf(function)
	fits := form != nil && form.Kind() == reflect.Func && form.NumIn() == 2 && form.In(1) == reflect.TypeFor[Event]()
	run, err := handle(function)
	if !fits || err != nil {
		panic(fmt.Sprintf(
			"midplane: the hook event: %T does not fit; it has to be func(midplane.Context, midplane.Event) ([Out, ]error)", function))
	}
	return p.on(seam.Event, run)
}

// OnDependencyChanged adds what is told when an optional dependency came or went.
func (p *Plugin) OnDependencyChanged(function func(ctx Context, dependency Dependency) error) *Plugin {
	return p.on(seam.DependencyChanged, func(ctx Context, input []byte, _ seam.Sink) error {
		var dependency Dependency
		if err := decode(input, &dependency, "invalid_input", "dependency"); err != nil {
			return err
		}
		return function(ctx, dependency)
	})
}

// OnExportState adds what gives the state that the next generation starts from.
func (p *Plugin) OnExportState(function func(ctx Context) ([]byte, error)) *Plugin {
	return p.gives(seam.ExportState, func(ctx Context) (any, error) { return function(ctx) })
}

// OnImportState adds what takes the state of the generation before.
func (p *Plugin) OnImportState(function func(ctx Context, state []byte) error) *Plugin {
	return p.on(seam.ImportState, func(ctx Context, state []byte, _ seam.Sink) error { return function(ctx, state) })
}

// OnMigrate adds what translates the state of an older version of the plugin, which is named.
func (p *Plugin) OnMigrate(function func(ctx Context, from string, state []byte) ([]byte, error)) *Plugin {
	return p.migrates(seam.Migrate, function)
}

// OnMigrateBack adds what translates a state back to the form of an older version, which is named.
func (p *Plugin) OnMigrateBack(function func(ctx Context, to string, state []byte) ([]byte, error)) *Plugin {
	return p.migrates(seam.MigrateBack, function)
}

func (p *Plugin) on(hook seam.Hook, run handler) *Plugin {
	p.hooks[hook] = run
	return p
}

func (p *Plugin) plain(hook seam.Hook, function func(Context) error) *Plugin {
	return p.on(hook, func(ctx Context, _ []byte, _ seam.Sink) error { return function(ctx) })
}

func (p *Plugin) gives(hook seam.Hook, function func(Context) (any, error)) *Plugin {
	return p.on(hook, func(ctx Context, _ []byte, reply seam.Sink) error {
		value, err := function(ctx)
		if err != nil {
			return err
		}
		output, err := encode(value)
		if err != nil || len(output) == 0 {
			return err
		}
		return reply.Write(output)
	})
}

func (p *Plugin) onConfig(hook seam.Hook, function any) *Plugin {
	value := reflect.ValueOf(function)
	form := reflect.TypeOf(function)
	if form == nil || form.Kind() != reflect.Func || form.NumIn() != 2 || form.In(0) != contextType ||
		form.NumOut() != 1 || form.Out(0) != errorType {
		panic(fmt.Sprintf("midplane: the hook %s: %T does not fit; it has to be func(midplane.Context, C) error", hook, function))
	}
	return p.on(hook, func(ctx Context, input []byte, _ seam.Sink) error {
		if len(bytes.TrimSpace(input)) == 0 {
			input = []byte("{}")
		}
		config := reflect.New(form.In(1))
		if form.In(1) == bytesType {
			config.Elem().SetBytes(input)
		} else if err := decode(input, config.Interface(), "config_invalid", "configuration"); err != nil {
			return err
		}
		err, _ := value.Call([]reflect.Value{reflect.ValueOf(ctx), config.Elem()})[0].Interface().(error)
		return err
	})
}

func (p *Plugin) migrates(hook seam.Hook, function func(Context, string, []byte) ([]byte, error)) *Plugin {
	return p.on(hook, func(ctx Context, input []byte, reply seam.Sink) error {
		line, state, _ := bytes.Cut(input, []byte("\n"))
		var version struct {
			From string `json:"from"`
		}
		if err := decode(line, &version, "invalid_input", "first line of a migration"); err != nil {
			return err
		}
		output, err := function(ctx, version.From, state)
		if err != nil || len(output) == 0 {
			return err
		}
		return reply.Write(output)
	})
}
