package wire

import (
	"fmt"
	"os"
	"sync/atomic"

	"midplane.dev/sdk/go/internal/seam"
)

// ask is a request to the host, from its first frame to its answer.
type ask struct {
	answer   []byte
	refused  *seam.Record
	room     int
	answered atomic.Bool
	bell     chan struct{}
	// credit is how many bytes may be sent, and more wakes who waits for it. Under the connection's lock, as is forgotten.
	credit int
	more   chan struct{}
	// forgotten says that nobody waits for the answer any longer.
	forgotten bool
}

// Ask asks the host on the instance's number. What was begun is sent to its end, also when nobody waits any longer.
func (j *job) Ask(_ *seam.Scope, function string, args, payload []byte) ([]byte, error) {
	if function == "events.emit" {
		function = "bus.publish"
	}
	number, known := seam.FunctionNumber(function)
	if !known {
		return nil, refusal("not_supported", "there is no host function `%s`", function)
	}
	if len(args) > mostHeader {
		return nil, refusal("limit_exceeded", "the arguments of `%s` have %d bytes, more than %d", function, len(args), mostHeader)
	}
	if len(payload) > mostInput {
		return nil, refusal("limit_exceeded", "the bytes of %s are more than %d", function, mostInput)
	}
	// After its call has ended, a context asks as background work.
	var done <-chan struct{}
	if !j.answered.Load() {
		done = j.ctx.Done()
	}
	c := j.conn
	first := min(len(payload), c.chunk, c.window)
	a := &ask{room: windowSize, bell: make(chan struct{}, 1), credit: c.window - first}
	if first < len(payload) {
		a.more = make(chan struct{}, 1)
	}
	k := key{j.key.instance, c.lastAsk.Add(2)}
	c.lock.Lock()
	c.asks[k] = a
	c.lock.Unlock()
	head := frame{kind: kindHost, key: k, value: number, time: noDeadline, header: args, payload: payload[:first]}
	if first < len(payload) {
		head.flags = flagMore
	}
	c.send(head)
	if first < len(payload) {
		go c.sendRest(k, a, payload[first:])
	}
	c.await(a.answered.Load, a.bell, done)
	if !a.answered.Load() {
		c.lock.Lock()
		a.forgotten = true
		c.lock.Unlock()
		return nil, &seam.Record{Code: "cancelled", Message: "the call was cancelled while it waited for " + function}
	}
	if a.refused != nil {
		return nil, a.refused
	}
	return a.answer, nil
}

// sendRest sends what did not fit the first frame, as credit allows. An answer that comes first ends it.
func (c *conn) sendRest(k key, a *ask, rest []byte) {
	goesOn := func() bool {
		c.lock.Lock()
		defer c.lock.Unlock()
		return a.credit > 0 || a.answered.Load()
	}
	for len(rest) > 0 {
		c.await(goesOn, a.more, nil)
		if a.answered.Load() {
			return
		}
		c.lock.Lock()
		count := min(len(rest), c.chunk, a.credit)
		a.credit -= count
		c.lock.Unlock()
		f := frame{kind: kindData, key: k, payload: rest[:count]}
		if count < len(rest) {
			f.flags = flagMore
		}
		c.send(f)
		rest = rest[count:]
	}
}

// answerPiece takes a part of the host's answer.
func (c *conn) answerPiece(f *frame, last bool) error {
	c.lock.Lock()
	a := c.asks[f.key]
	if a == nil {
		c.lock.Unlock()
		return nil
	}
	forgotten := a.forgotten
	if last {
		delete(c.asks, f.key)
	}
	c.lock.Unlock()
	if a.room -= len(f.payload); a.room < 0 {
		return breach("more bytes of an answer than its credit allows")
	}
	switch {
	case forgotten:
	case a.answer == nil:
		a.answer = f.payload
	default:
		a.answer = append(a.answer, f.payload...)
	}
	if last {
		c.answered(a)
	} else if a.room <= windowSize/2 {
		c.send(frame{kind: kindCredit, key: f.key, value: uint32(windowSize - a.room)})
		a.room = windowSize
	}
	return nil
}

// answerError takes the host's refusal.
func (c *conn) answerError(f *frame) error {
	if f.key.id == 0 {
		fmt.Fprintln(os.Stderr, "the host ends the connection:", seam.ReadRecord(f.payload).Message)
		os.Exit(1)
	}
	c.lock.Lock()
	a := c.asks[f.key]
	delete(c.asks, f.key)
	c.lock.Unlock()
	if a != nil {
		a.refused = seam.ReadRecord(f.payload)
		c.answered(a)
	}
	return nil
}

func (c *conn) answered(a *ask) {
	a.answered.Store(true)
	c.ring(a.bell)
	c.ring(a.more)
}
