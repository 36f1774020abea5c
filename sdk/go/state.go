package midplane

import (
	"errors"
	"time"
	"unicode/utf8"
)

// State is the plugin's own durable state: keys are text, values bytes. Times to live are rounded up to milliseconds; 0
// keeps a value for good.
type State struct{ ctx Context }

// State is the plugin's own durable state.
func (c Context) State() State {
	return State{c}
}

// Get reads a key, and says whether it has a value.
func (s State) Get(key string) (value []byte, found bool, err error) {
	value, err = s.ctx.Host("state.get", fields{"key": key}, nil)
	var refused *Error
	if errors.As(err, &refused) && refused.Code == "key_not_found" {
		return nil, false, nil
	}
	return value, err == nil, err
}

// GetJSON reads a key's value as JSON into a value, and says whether there is one. One that does not fit is
// invalid_reply.
func (s State) GetJSON(key string, into any) (found bool, err error) {
	value, found, err := s.Get(key)
	if !found {
		return false, err
	}
	return true, fit(key, value, into)
}

// Set writes a key. Beyond the quota it is limit_exceeded.
func (s State) Set(key string, value []byte, timeToLive time.Duration) error {
	return s.ctx.do("state.set", lasting(fields{"key": key}, timeToLive), value)
}

// SetJSON writes a value as JSON.
func (s State) SetJSON(key string, value any, timeToLive time.Duration) error {
	text, err := marshal(value)
	if err != nil {
		return err
	}
	return s.Set(key, text, timeToLive)
}

// CompareAndSet writes a key if its value still is the expected one (nil: if there is none), and says whether it was
// written. An expected value that is not UTF-8, which the host cannot compare, is invalid_input.
func (s State) CompareAndSet(key string, expected, value []byte, timeToLive time.Duration) (written bool, err error) {
	args := lasting(fields{"key": key}, timeToLive)
	if expected != nil {
		if !utf8.Valid(expected) {
			return false, Errorf("invalid_input", "the expected value of %s is not UTF-8", key)
		}
		args["expected"] = string(expected)
	}
	err = s.ctx.read("state.compare_and_set", args, value, &written)
	return written, err
}

// Delete removes a key; one that is not there is no error.
func (s State) Delete(key string) error {
	return s.ctx.do("state.delete", fields{"key": key}, nil)
}

// List gives the keys that begin with a prefix; all for an empty one.
func (s State) List(prefix string) ([]string, error) {
	args := fields{}
	if prefix != "" {
		args["prefix"] = prefix
	}
	var keys []string
	err := s.ctx.read("state.list", args, nil, &keys)
	return keys, err
}

func lasting(args fields, timeToLive time.Duration) fields {
	if timeToLive > 0 {
		args["ttl_ms"] = milliseconds(timeToLive)
	}
	return args
}
