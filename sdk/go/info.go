package midplane

import (
	"encoding/json"
	"time"
)

// Info is what a plugin says of itself. Beside a manifest only Description adds something; id and version must not
// contradict it. A bare file without a manifest is described by this alone.
type Info struct {
	// ID is 1 to 128 of a-z 0-9 . _ -
	ID string `json:"id,omitempty"`
	// Name is for people.
	Name string `json:"name,omitempty"`
	// Version is a semantic version.
	Version string `json:"version,omitempty"`
	// Description is one sentence for people.
	Description string `json:"description,omitempty"`
	// Author is who wrote it.
	Author string `json:"author,omitempty"`
	// License is an SPDX expression.
	License string `json:"license,omitempty"`
	// Homepage is a web address.
	Homepage string `json:"homepage,omitempty"`
	// Tags are search words.
	Tags []string `json:"tags,omitempty"`
	// Capabilities are what it can do, in an application's own words.
	Capabilities []string `json:"capabilities,omitempty"`
}

// actionInfo is what is said of an action.
type actionInfo struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Input       json.RawMessage `json:"input,omitempty"`
	Output      json.RawMessage `json:"output,omitempty"`
	Idempotent  bool            `json:"idempotent,omitempty"`
	Deadline    int64           `json:"deadline_ms,omitempty"`
}

// About says what the plugin is.
func (p *Plugin) About(info Info) *Plugin {
	p.info = info
	return p
}

// Describe describes the action added last, in one sentence for people.
func (p *Plugin) Describe(text string) *Plugin {
	p.last().Description = text
	return p
}

// Schema gives the JSON Schemas of input and output of the action added last, as JSON; empty for none. It panics on
// what is no JSON.
func (p *Plugin) Schema(input, output string) *Plugin {
	for _, text := range []string{input, output} {
		if text != "" && !json.Valid([]byte(text)) {
			panic("midplane: a schema that is no JSON: " + text)
		}
	}
	p.last().Input, p.last().Output = json.RawMessage(input), json.RawMessage(output)
	return p
}

// Idempotent says of the action added last that calling it twice does no more than calling it once.
func (p *Plugin) Idempotent() *Plugin {
	p.last().Idempotent = true
	return p
}

// Within sets the longest call of the action added last.
func (p *Plugin) Within(time time.Duration) *Plugin {
	p.last().Deadline = time.Milliseconds()
	return p
}

func (p *Plugin) last() *actionInfo {
	if len(p.actions) == 0 {
		panic("midplane: add an action before you say something of it")
	}
	return &p.actions[len(p.actions)-1].actionInfo
}

// saysOfItself is the answer of the info hook.
func (p *Plugin) saysOfItself() []byte {
	actions := make([]actionInfo, len(p.actions))
	for position, action := range p.actions {
		actions[position] = action.actionInfo
	}
	text, err := json.Marshal(struct {
		Info
		Actions []actionInfo `json:"actions"`
	}{p.info, actions})
	if err != nil {
		return []byte("{}")
	}
	return text
}
