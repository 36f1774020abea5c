package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	midplane "midplane.dev/sdk/go"
)

// config is what the configuration makes the probe do. Everything else in it is kept and given back.
type config struct {
	// Invalid: validate_config refuses it.
	Invalid bool `json:"invalid"`
	// Reject: init and config_changed refuse it, with Message.
	Reject bool `json:"reject"`
	// Message is what a refusal or failure says.
	Message *string `json:"message"`
	// FailIn are hooks, by their names in the contract, that answer with an error `hook_failed`.
	FailIn []string `json:"fail_in"`
	// PanicIn are hooks that panic.
	PanicIn []string `json:"panic_in"`
	// HangIn are hooks that hang.
	HangIn []string `json:"hang_in"`
	// Release is a file whose appearance ends a hang, outside of WebAssembly.
	Release string `json:"release"`
	// Health is what `health` reports; healthy unless it is said.
	Health midplane.Status `json:"health"`
	// Answer is what `event` answers, as JSON; nothing unless it is said.
	Answer json.RawMessage `json:"answer"`
}

func (c *config) message(otherwise string) string {
	if c.Message != nil {
		return *c.Message
	}
	return otherwise
}

// act does in a hook what the configuration asks for: nothing, fail, panic or hang.
func (c *config) act(ctx midplane.Context, hook string) error {
	if slices.Contains(c.HangIn, hook) {
		hangUntil(ctx, c.Release)
	}
	if slices.Contains(c.PanicIn, hook) {
		panic(c.message("panicked on purpose"))
	}
	if slices.Contains(c.FailIn, hook) {
		return midplane.Errorf("hook_failed", "%s", c.message("failed on purpose"))
	}
	return nil
}

func hooks(plugin *midplane.Plugin) {
	plugin.
		OnValidateConfig(validate).
		OnInit(func(ctx midplane.Context, config json.RawMessage) error { return configure(ctx, "init", config) }).
		OnConfigChanged(func(ctx midplane.Context, config json.RawMessage) error {
			return configure(ctx, "config_changed", config)
		}).
		OnGetConfig(func(midplane.Context) (any, error) { return given, nil }).
		OnStart(func(ctx midplane.Context) error { return pass(ctx, "start") }).
		OnStop(func(ctx midplane.Context) error { return pass(ctx, "stop") }).
		OnCleanup(func(ctx midplane.Context) error { return pass(ctx, "cleanup") }).
		OnEvent(func(ctx midplane.Context, event midplane.Event) (json.RawMessage, error) {
			if err := acts.act(ctx, "event"); err != nil {
				return nil, err
			}
			events = append(events, event.Data)
			return acts.Answer, nil
		}).
		OnDependencyChanged(func(ctx midplane.Context, dependency midplane.Dependency) error {
			history = append(history, fmt.Sprintf("dependency_changed %s %t", dependency.ID, dependency.Available))
			return acts.act(ctx, "dependency_changed")
		}).
		OnHealthCheck(health).
		OnExportState(func(ctx midplane.Context) ([]byte, error) {
			return strconv.AppendUint(nil, counter, 10), pass(ctx, "export_state")
		}).
		OnImportState(func(ctx midplane.Context, state []byte) error {
			if err := pass(ctx, "import_state"); err != nil {
				return err
			}
			number, err := strconv.ParseUint(string(state), 10, 64)
			if err == nil {
				counter = number
			}
			return err
		})
}

// pass notes the hook, says so in the log, and does what the configuration asks for.
func pass(ctx midplane.Context, hook string) error {
	history = append(history, hook)
	ctx.Debug("hook " + hook)
	return acts.act(ctx, hook)
}

func validate(ctx midplane.Context, asked config) error {
	if err := asked.act(ctx, "validate_config"); err != nil {
		return err
	}
	if asked.Invalid {
		return midplane.Errorf("config_invalid", "the configuration asks to be invalid")
	}
	return nil
}

// configure takes a configuration; a refused one leaves the present one in effect.
func configure(ctx midplane.Context, hook string, whole json.RawMessage) error {
	var asked config
	if err := json.Unmarshal(whole, &asked); err != nil {
		return midplane.Errorf("config_invalid", "%v", err)
	}
	history = append(history, hook)
	ctx.Debug("hook " + hook)
	if err := asked.act(ctx, hook); err != nil {
		return err
	}
	if asked.Reject {
		return midplane.Errorf("rejected", "%s", asked.message("the configuration asks to be rejected"))
	}
	given, acts = whole, asked
	return nil
}

func health(ctx midplane.Context) (midplane.Health, error) {
	if err := acts.act(ctx, "health"); err != nil {
		return midplane.Health{}, err
	}
	status := acts.Health
	switch status {
	case "":
		status = midplane.Healthy
	case midplane.Healthy, midplane.Degraded, midplane.Unhealthy:
	default:
		return midplane.Health{}, fmt.Errorf("%q is no status", status)
	}
	return midplane.Health{Status: status, Details: map[string]any{"counter": counter}}, nil
}
