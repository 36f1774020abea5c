package midplane

import "time"

// Bus carries events.
type Bus struct{ ctx Context }

// Bus carries events.
func (c Context) Bus() Bus {
	return Bus{c}
}

// Publish publishes an event; data is []byte as it is, or a value with a JSON form.
func (b Bus) Publish(topic string, data any) error {
	payload, is := data.([]byte)
	if !is {
		var err error
		if payload, err = marshal(data); err != nil {
			return err
		}
	}
	return b.ctx.do("bus.publish", fields{"topic": topic}, payload)
}

// PublishAs publishes an event whose data is of another media type than JSON: image/png.
func (b Bus) PublishAs(topic, contentType string, data []byte) error {
	return b.ctx.do("bus.publish", fields{"topic": topic, "content_type": contentType}, data)
}

// Request asks a topic and gives the first answer; nobody's is deadline_exceeded.
func (b Bus) Request(topic string, data []byte) ([]byte, error) {
	return b.ctx.Host("bus.request", fields{"topic": topic}, data)
}

// RequestWithin is [Bus.Request] with a deadline of its own, rounded up to milliseconds.
func (b Bus) RequestWithin(deadline time.Duration, topic string, data []byte) ([]byte, error) {
	return b.ctx.Host("bus.request", fields{"topic": topic, "deadline_ms": milliseconds(deadline)}, data)
}

// RequestJSON is [Bus.Request] with JSON both ways, as [Context.CallJSON].
func (b Bus) RequestJSON(topic string, in, out any) error {
	return asJSON(topic, in, out, func(data []byte) ([]byte, error) { return b.Request(topic, data) })
}

// Subscribe begins to receive a topic through the event hook.
func (b Bus) Subscribe(topic string) error {
	return b.ctx.do("bus.subscribe", fields{"topic": topic}, nil)
}

// Unsubscribe ends it.
func (b Bus) Unsubscribe(topic string) error {
	return b.ctx.do("bus.unsubscribe", fields{"topic": topic}, nil)
}
