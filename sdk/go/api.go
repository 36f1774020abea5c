package midplane

import (
	"encoding/json"
	"time"
	"unicode/utf8"
)

// Config reads the plugin's effective configuration into a value, by the rules of encoding/json.
func (c Context) Config(into any) error {
	return c.read("config.get", nil, nil, into)
}

// ConfigValue reads one value of the configuration. One that is not there is null: it leaves the value as it is.
func (c Context) ConfigValue(key string, into any) error {
	return c.read("config.get", fields{"key": key}, nil, into)
}

// Secret reads a secret by its name, as text. One that is not UTF-8 is protocol_error; [Context.Host] gives its bytes.
func (c Context) Secret(name string) (string, error) {
	secret, err := c.Host("secret.get", fields{"name": name}, nil)
	if err == nil && !utf8.Valid(secret) {
		err = Errorf("protocol_error", "the secret %s is not UTF-8; ask for it with Host", name)
	}
	if err != nil {
		return "", err
	}
	return string(secret), nil
}

// Call calls another plugin's action by its address, ID/ACTION, and waits for the reply. Its error is the other's own,
// or deadline_exceeded, call_cycle, plugin_not_found, … The call has what is left of this call's time at most.
func (c Context) Call(address string, input []byte) ([]byte, error) {
	return c.Host("call", fields{"address": address}, input)
}

// CallWithin is [Context.Call] with a deadline of its own, rounded up to milliseconds.
func (c Context) CallWithin(deadline time.Duration, address string, input []byte) ([]byte, error) {
	return c.Host("call", fields{"address": address, "deadline_ms": milliseconds(deadline)}, input)
}

// CallJSON calls another plugin's action with JSON both ways: in and out are as in encoding/json. A nil out drops the
// reply; one that does not fit is invalid_reply.
func (c Context) CallJSON(address string, in, out any) error {
	return asJSON(address, in, out, func(input []byte) ([]byte, error) { return c.Call(address, input) })
}

// Now is the host's wall clock.
func (c Context) Now() (time.Time, error) {
	var now time.Time
	err := c.read("time.now", nil, nil, &now)
	return now, err
}

// Monotonic is the host's monotonic clock; only differences mean something.
func (c Context) Monotonic() (time.Duration, error) {
	var nanoseconds int64
	err := c.read("time.monotonic", nil, nil, &nanoseconds)
	return time.Duration(nanoseconds), err
}

// Random gives random bytes of the host, at most 65,536.
func (c Context) Random(bytes int) ([]byte, error) {
	return c.Host("random", fields{"bytes": bytes}, nil)
}

// milliseconds is a time as the wire has it: rounded up, so that little does not become nothing.
func milliseconds(time time.Duration) int64 {
	return max(0, int64((time+999_999)/1_000_000))
}

// asJSON asks somebody with JSON both ways.
func asJSON(whose string, in, out any, ask func(input []byte) ([]byte, error)) error {
	input, err := marshal(in)
	if err != nil {
		return err
	}
	reply, err := ask(input)
	if err != nil || out == nil || len(reply) == 0 {
		return err
	}
	return fit(whose, reply, out)
}

// fit reads what somebody else answered.
func fit(whose string, reply []byte, out any) error {
	if err := json.Unmarshal(reply, out); err != nil {
		return Errorf("invalid_reply", "the reply of %s does not fit: %v", whose, err)
	}
	return nil
}
