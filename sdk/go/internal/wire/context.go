package wire

import (
	"context"
	"sync"
	"time"
)

// callContext is the context of one call: done when the host cancels it, and when it is over. The host sees to the
// deadline and cancels; here it can only be read.
type callContext struct {
	deadline time.Time
	lock     sync.Mutex
	ended    bool
	done     chan struct{}
}

func (c *callContext) Deadline() (time.Time, bool) {
	return c.deadline, !c.deadline.IsZero()
}

func (c *callContext) Done() <-chan struct{} {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.ended {
			close(c.done)
		}
	}
	return c.done
}

func (c *callContext) Err() error {
	c.lock.Lock()
	defer c.lock.Unlock()
	if !c.ended {
		return nil
	}
	if !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		return context.DeadlineExceeded
	}
	return context.Canceled
}

func (c *callContext) Value(any) any {
	return nil
}

func (c *callContext) cancel() {
	c.lock.Lock()
	defer c.lock.Unlock()
	if !c.ended {
		c.ended = true
		if c.done != nil {
			close(c.done)
		}
	}
}
