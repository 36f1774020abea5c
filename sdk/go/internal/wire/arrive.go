package wire

import (
	"bytes"
	"fmt"
	"os"
)

// arrive does what a frame after the greeting says. It gives back a job that can be run now.
func (c *conn) arrive(f *frame) (*job, error) {
	switch f.kind {
	case kindLoad, kindOpen, kindClose, kindCall, kindHook:
		return c.begin(f)
	case kindData:
		if f.more() && len(f.payload) == 0 {
			return nil, breach("a DATA frame with MORE is empty")
		}
		if j := c.job(f.key); j != nil {
			return c.piece(j, f)
		}
		return nil, c.answerPiece(f, false)
	case kindDone:
		return nil, c.answerPiece(f, true)
	case kindError:
		return nil, c.answerError(f)
	case kindCancel:
		return nil, c.cancel(f.key)
	case kindCredit:
		c.credit(f.key, int(f.value))
	case kindPing:
		c.send(frame{kind: kindPong, key: f.key})
	case kindPong:
	case kindShutdown:
		os.Exit(0)
	default:
		if f.kind < 128 {
			return nil, breach(fmt.Sprintf("a frame of kind %d, which hosts do not send now", f.kind))
		}
	}
	return nil, nil
}

func (c *conn) job(k key) *job {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.jobs[k]
}

// begin takes the first frame of a request.
func (c *conn) begin(f *frame) (*job, error) {
	j, err := c.newJob(f)
	if err != nil {
		return nil, err
	}
	c.lock.Lock()
	if c.jobs[f.key] != nil {
		c.lock.Unlock()
		return nil, breach(fmt.Sprintf("the request %d of instance %d is unanswered, and is made again", f.key.id, f.key.instance))
	}
	c.jobs[f.key] = j
	switch {
	case f.kind == kindLoad:
		j.seat = &c.control
	case c.seat != nil && f.key.instance == uint16(c.seat.identity.Instance):
		j.seat = c.seat
	case f.kind == kindOpen:
		j.seat = &seat{}
	}
	if j.seat != nil {
		j.scope.Identity = &j.seat.identity
	}
	c.lock.Unlock()
	switch {
	case j.seat == nil:
		j.refuse(refusal("not_loaded", "instance %d is not open", f.key.instance))
		return nil, nil
	case f.kind == kindCall && int64(f.value) >= int64(c.actions):
		j.refuse(refusal("action_not_found", "the plugin has no action with the number %d", f.value))
		return nil, nil
	}
	return c.piece(j, f)
}

// piece takes a part of a request's input.
func (c *conn) piece(j *job, f *frame) (*job, error) {
	if j.complete {
		return nil, nil
	}
	j.size += len(f.payload)
	j.room -= len(f.payload)
	switch {
	case j.room < 0:
		return nil, breach("more bytes of a request than its credit allows")
	case j.size > mostInput:
		j.refuse(refusal("limit_exceeded", "the input has more than %d bytes", mostInput))
		return nil, nil
	case f.more():
		j.pieces = append(j.pieces, f.payload)
		if j.room <= windowSize/2 {
			c.send(frame{kind: kindCredit, key: j.key, value: uint32(windowSize - j.room)})
			j.room = windowSize
		}
		return nil, nil
	case j.pieces != nil:
		j.input = bytes.Join(append(j.pieces, f.payload), nil)
		j.pieces = nil
	case j.kind != kindOpen:
		j.input = f.payload
	}
	j.complete = true
	return c.turn(j), nil
}

// turn gives a complete job back if it is its turn, and lets it wait otherwise.
func (c *conn) turn(j *job) *job {
	c.lock.Lock()
	if j.seat.busy == nil {
		j.seat.busy = j
		c.lock.Unlock()
		return j
	}
	full := len(j.seat.queue) >= mostWaiting
	if !full {
		j.seat.queue = append(j.seat.queue, j)
	}
	c.lock.Unlock()
	if full {
		j.refuse(refusal("overloaded", "%d requests wait for the instance", mostWaiting))
	}
	return nil
}

// cancel stops a request: one that has not begun is answered, one that runs is told.
func (c *conn) cancel(k key) error {
	c.lock.Lock()
	j := c.jobs[k]
	if j == nil {
		c.lock.Unlock()
		return nil
	}
	begun := j.complete
	for position, waiting := range j.seat.queue {
		if waiting == j {
			j.seat.queue = append(j.seat.queue[:position:position], j.seat.queue[position+1:]...)
			begun = false
			break
		}
	}
	c.lock.Unlock()
	j.ctx.cancel()
	if begun {
		// Who waits for the context is to run before this goroutine reads on.
		c.woke = true
	} else {
		j.refuse(refusal("cancelled", "the host cancelled it before it had begun"))
	}
	return nil
}

// credit lets a sender go on.
func (c *conn) credit(k key, more int) {
	c.lock.Lock()
	var bell chan struct{}
	if j := c.jobs[k]; j != nil {
		j.credit += more
		bell = j.bell
	} else if a := c.asks[k]; a != nil {
		a.credit += more
		bell = a.more
	}
	c.lock.Unlock()
	c.ring(bell)
}

// ring wakes who waits for something that the leader has read.
func (c *conn) ring(bell chan struct{}) {
	if bell == nil {
		return
	}
	select {
	case bell <- struct{}{}:
		c.woke = true
	default:
	}
}
