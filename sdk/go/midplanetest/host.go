package midplanetest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"

	"midplane.dev/sdk/go/internal/seam"
)

// Most random bytes in one request, as in a host.
const mostRandom = 65_536

// host is the bench as the plugin's host.
type host Bench

func (h *host) Ask(_ *seam.Scope, function string, args, payload []byte) ([]byte, error) {
	if len(args) == 0 {
		args = []byte("{}")
	}
	asked := Asked{function, append(json.RawMessage(nil), args...), append([]byte(nil), payload...)}
	h.lock.Lock()
	h.asked = append(h.asked, asked)
	answer := h.answers[function]
	h.lock.Unlock()
	if answer != nil {
		return answer(asked)
	}
	return h.builtIn(asked)
}

// arguments are those that the built-in answers look at.
type arguments struct {
	Key      string
	Expected *string
	Prefix   string
	Bytes    int
}

// builtIn answers what needs no other plugin and no operator. Times to live end nothing here.
func (h *host) builtIn(asked Asked) ([]byte, error) {
	var args arguments
	if err := json.Unmarshal(asked.Args, &args); err != nil {
		return nil, refused("invalid_input", "the arguments of %s are no object: %v", asked.Function, err)
	}
	switch asked.Function {
	case "log", "bus.publish", "bus.subscribe", "bus.unsubscribe", "metrics.count", "metrics.gauge", "metrics.observe":
		return nil, nil
	case "config.get":
		return h.configured(args.Key)
	case "time.now":
		return json.Marshal(time.Now().UTC())
	case "time.monotonic":
		return json.Marshal(time.Since(h.since).Nanoseconds())
	case "random":
		if args.Bytes < 0 || args.Bytes > mostRandom {
			return nil, refused("limit_exceeded", "at most %d random bytes at once", mostRandom)
		}
		drawn := make([]byte, args.Bytes)
		_, err := rand.Read(drawn)
		return drawn, err
	}
	return h.stored(asked, args)
}

func (h *host) configured(key string) ([]byte, error) {
	if key == "" {
		return h.config, nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(h.config, &all); err != nil {
		return nil, err
	}
	if value, has := all[key]; has {
		return value, nil
	}
	return []byte("null"), nil
}

func (h *host) stored(asked Asked, args arguments) ([]byte, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	value, has := h.state[args.Key]
	switch asked.Function {
	case "state.get":
		if !has {
			return nil, refused("key_not_found", "the state has no value for %s", args.Key)
		}
		return bytes.Clone(value), nil
	case "state.set":
		h.state[args.Key] = asked.Payload
		return nil, nil
	case "state.compare_and_set":
		fits := has == (args.Expected != nil) && (!has || string(value) == *args.Expected)
		if fits {
			h.state[args.Key] = asked.Payload
		}
		return json.Marshal(fits)
	case "state.delete":
		delete(h.state, args.Key)
		return nil, nil
	case "state.list":
		keys := []string{}
		for key := range h.state {
			if strings.HasPrefix(key, args.Prefix) {
				keys = append(keys, key)
			}
		}
		sort.Strings(keys)
		return json.Marshal(keys)
	}
	return nil, refused("not_supported", "the test bench has no answer to %s", asked.Function)
}

func refused(code, format string, args ...any) error {
	return &seam.Record{Code: code, Message: fmt.Sprintf(format, args...)}
}
