package midplane

import (
	"bytes"
	"encoding/json"
	"time"
)

// Config reads the plugin's effective configuration into a value, by the rules of encoding/json.
func (c Context) Config(into any) error {
	return c.read("config.get", nil, into)
}

// ConfigValue reads one value of the configuration.
func (c Context) ConfigValue(key string, into any) error {
	return c.read("config.get", fields{"key": key}, into)
}

// Secret reads a secret by name.
func (c Context) Secret(name string) ([]byte, error) {
	return c.Host("secret.get", fields{"name": name}, nil)
}

// Call calls another plugin's action by its address, ID/ACTION, and waits for the reply. Its error is the other's own,
// or deadline_exceeded, call_cycle, plugin_not_found, … The call has what is left of this call's time at most.
func (c Context) Call(address string, input []byte) ([]byte, error) {
	return c.Host("call", fields{"address": address}, input)
}

// CallWithin is [Context.Call] with a deadline of its own.
func (c Context) CallWithin(deadline time.Duration, address string, input []byte) ([]byte, error) {
	return c.Host("call", fields{"address": address, "deadline_ms": deadline.Milliseconds()}, input)
}

// CallJSON calls another plugin's action with JSON both ways: in and out are as in encoding/json. A nil out drops the
// reply.
func (c Context) CallJSON(address string, in, out any) error {
	input, err := marshal(in)
	if err != nil {
		return err
	}
	reply, err := c.Call(address, input)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(reply, out); err != nil {
		return Errorf("protocol_error", "the reply of %s does not fit: %v", address, err)
	}
	return nil
}

// State is the plugin's own durable state: keys and bytes.
type State struct{ ctx Context }

// State is the plugin's own durable state.
func (c Context) State() State {
	return State{c}
}

// Get reads a key. A key that is not there is what the host says of it.
func (s State) Get(key string) ([]byte, error) {
	return s.ctx.Host("state.get", fields{"key": key}, nil)
}

// Set writes a key. A time to live of 0 keeps it for good; otherwise it counts in whole milliseconds. Beyond the quota
// it is limit_exceeded.
func (s State) Set(key string, value []byte, timeToLive time.Duration) error {
	args := fields{"key": key}
	if timeToLive > 0 {
		args["ttl_ms"] = timeToLive.Milliseconds()
	}
	return s.ctx.do("state.set", args, value)
}

// CompareAndSet writes a key if it still is what the plugin read, and says whether it was written; a nil expected means
// that it was not there.
func (s State) CompareAndSet(key string, expected *string, value []byte) (bool, error) {
	answer, err := s.ctx.Host("state.compare_and_set", fields{"key": key, "expected": expected}, value)
	return err == nil && string(answer) != "false", err
}

// Delete removes a key.
func (s State) Delete(key string) error {
	return s.ctx.do("state.delete", fields{"key": key}, nil)
}

// List gives the keys that begin with a prefix.
func (s State) List(prefix string) ([]string, error) {
	var keys []string
	err := s.ctx.read("state.list", fields{"prefix": prefix}, &keys)
	return keys, err
}

// Bus carries events.
type Bus struct{ ctx Context }

// Bus carries events.
func (c Context) Bus() Bus {
	return Bus{c}
}

// Publish publishes an event; data is a value with a JSON form.
func (b Bus) Publish(topic string, data any) error {
	payload, err := marshal(data)
	if err != nil {
		return err
	}
	return b.ctx.do("bus.publish", fields{"topic": topic}, payload)
}

// Request asks a topic and waits for one answer; nobody's is deadline_exceeded.
func (b Bus) Request(topic string, data []byte) ([]byte, error) {
	return b.ctx.Host("bus.request", fields{"topic": topic}, data)
}

// Subscribe begins to receive a topic through the event hook.
func (b Bus) Subscribe(topic string) error {
	return b.ctx.do("bus.subscribe", fields{"topic": topic}, nil)
}

// Unsubscribe ends it.
func (b Bus) Unsubscribe(topic string) error {
	return b.ctx.do("bus.unsubscribe", fields{"topic": topic}, nil)
}

// Service reaches plugins by what they provide.
type Service struct{ ctx Context }

// Service reaches plugins by what they provide.
func (c Context) Service() Service {
	return Service{c}
}

// Find gives the providers of an interface, as the host tells them: JSON.
func (s Service) Find(service string) (json.RawMessage, error) {
	var found json.RawMessage
	err := s.ctx.read("service.find", fields{"interface": service}, &found)
	return found, err
}

// Call calls an action of the chosen provider of an interface; its errors are those of [Context.Call].
func (s Service) Call(service, action string, input []byte) ([]byte, error) {
	return s.ctx.Host("service.call", fields{"interface": service, "action": action}, input)
}

// Request is what [Context.Fetch] sends.
type Request struct {
	// Method is GET where it is empty.
	Method string `json:"method,omitempty"`
	// URL is the whole address.
	URL string `json:"url"`
	// Headers are the request's.
	Headers map[string]string `json:"headers,omitempty"`
	// Body is what is sent.
	Body []byte `json:"-"`
}

// Response is what came back from a web address.
type Response struct {
	// Status is the HTTP status, such as 200.
	Status int `json:"status"`
	// Headers have names in lower case.
	Headers map[string]string `json:"headers"`
	// Body is what came.
	Body []byte `json:"-"`
}

// Fetch fetches a web address through the host (http.fetch), whatever its status.
func (c Context) Fetch(request Request) (Response, error) {
	reply, err := c.Host("http.fetch", request, request.Body)
	if err != nil {
		return Response{}, err
	}
	head, body, _ := bytes.Cut(reply, []byte{'\n'})
	response := Response{Body: body}
	if err := json.Unmarshal(head, &response); err != nil {
		return Response{}, Errorf("protocol_error", "the answer to http.fetch has no status: %v", err)
	}
	return response, nil
}

// Metrics are the plugin's measurements.
type Metrics struct{ ctx Context }

// Metrics are the plugin's measurements.
func (c Context) Metrics() Metrics {
	return Metrics{c}
}

// Count adds to a counter.
func (m Metrics) Count(name string, value uint64) error {
	return m.ctx.do("metrics.count", fields{"name": name, "value": value}, nil)
}

// Gauge sets a gauge.
func (m Metrics) Gauge(name string, value float64) error {
	return m.ctx.do("metrics.gauge", fields{"name": name, "value": value}, nil)
}

// Observe adds to a histogram.
func (m Metrics) Observe(name string, value float64) error {
	return m.ctx.do("metrics.observe", fields{"name": name, "value": value}, nil)
}

// Now is the host's wall clock.
func (c Context) Now() (time.Time, error) {
	var now time.Time
	err := c.read("time.now", nil, &now)
	return now, err
}

// Monotonic is the host's monotonic clock; only differences mean something.
func (c Context) Monotonic() (time.Duration, error) {
	var nanoseconds int64
	err := c.read("time.monotonic", nil, &nanoseconds)
	return time.Duration(nanoseconds), err
}

// Random gives random bytes of the host, at most 65,536.
func (c Context) Random(bytes int) ([]byte, error) {
	return c.Host("random", fields{"bytes": bytes}, nil)
}
