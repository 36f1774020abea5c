package midplane

import "time"

// Bus carries events.
type Bus struct{ ctx Context }

// Bus carries events.
func (c Context) Bus() Bus {
	return Bus{c}
}

// MessageOption says more of an event or a question.
type MessageOption func(args fields)

// ContentType is the media type of data that is not JSON: image/png. The data is then a []byte.
func ContentType(mediaType string) MessageOption {
	return func(args fields) { args["content_type"] = mediaType }
}

// PublishOption says how an event is published: a [MessageOption], or [Retain].
type PublishOption interface{ publishes(args fields) }

func (o MessageOption) publishes(args fields) { o(args) }

type retain struct{}

func (retain) publishes(args fields) { args["retain"] = true }

// Retain keeps the event: whoever subscribes to its topic later gets it first.
func Retain() PublishOption {
	return retain{}
}

// SubscribeOption says which events of a topic are wanted.
type SubscribeOption func(args fields)

// Group makes the plugin a member of a group: of its plugins one gets each event.
func Group(name string) SubscribeOption {
	return func(args fields) { args["group"] = name }
}

// Filter wants only events whose data has these values, by names of fields or JSON pointers: {"color": "red",
// "/size/width": 3}.
func Filter(fitting map[string]any) SubscribeOption {
	return func(args fields) { args["filter"] = fitting }
}

// Publish publishes an event; data is []byte as it is, or a value with a JSON form.
func (b Bus) Publish(topic string, data any, options ...PublishOption) error {
	payload, is := data.([]byte)
	if !is {
		var err error
		if payload, err = marshal(data); err != nil {
			return err
		}
	}
	args := fields{"topic": topic}
	for _, option := range options {
		option.publishes(args)
	}
	return b.ctx.do("bus.publish", args, payload)
}

// Request asks a topic and gives the first answer that is not empty, which is what an event hook has returned; an empty one
// where all that are there return nothing. Nobody there is peer_gone, nobody who answers in time deadline_exceeded; the
// error of a hook comes back where no other answers.
func (b Bus) Request(topic string, data []byte, options ...MessageOption) ([]byte, error) {
	return b.ask(fields{"topic": topic}, data, options)
}

// RequestWithin is [Bus.Request] with a deadline of its own, rounded up to milliseconds.
func (b Bus) RequestWithin(deadline time.Duration, topic string, data []byte, options ...MessageOption) ([]byte, error) {
	return b.ask(fields{"topic": topic, "deadline_ms": milliseconds(deadline)}, data, options)
}

// RequestJSON is [Bus.Request] with JSON both ways, as [Context.CallJSON].
func (b Bus) RequestJSON(topic string, in, out any) error {
	return asJSON(topic, in, out, func(data []byte) ([]byte, error) { return b.Request(topic, data) })
}

// Subscribe begins to receive a topic, or the topics of a pattern such as orders.* or orders.>, through the event hook.
func (b Bus) Subscribe(topic string, options ...SubscribeOption) error {
	args := fields{"topic": topic}
	for _, option := range options {
		option(args)
	}
	return b.ctx.do("bus.subscribe", args, nil)
}

// Unsubscribe ends it; the topic is written as it was subscribed to.
func (b Bus) Unsubscribe(topic string) error {
	return b.ctx.do("bus.unsubscribe", fields{"topic": topic}, nil)
}

func (b Bus) ask(args fields, data []byte, options []MessageOption) ([]byte, error) {
	for _, option := range options {
		option(args)
	}
	return b.ctx.Host("bus.request", args, data)
}
