package wire

import (
	"sync/atomic"
	"time"
)

const (
	// A call that has run for one to two of these no longer keeps others from reading.
	tick = 2 * time.Millisecond
	// Ticks without a call after which the watch sleeps.
	drowsy = 50
)

// watch looks after the lease while there is work.
type watch struct {
	asleep atomic.Bool
	bell   chan struct{}
}

// rouse makes sure that it looks. It costs one load where it does already.
func (w *watch) rouse() {
	if w.asleep.Load() && w.asleep.CompareAndSwap(true, false) {
		w.bell <- struct{}{}
	}
}

// keepWatch gives the lead to another goroutine when one job has kept it for long.
func (c *conn) keepWatch() {
	var last *job
	idle := drowsy
	for {
		running := c.lease.Load()
		switch {
		case running == nil:
			idle++
		case running == last && c.lease.CompareAndSwap(running, nil):
			go c.lead()
			running = nil
		default:
			idle = 0
		}
		last = running
		if idle < drowsy {
			time.Sleep(tick)
			continue
		}
		c.watch.asleep.Store(true)
		// A job that began before it was asleep has not roused it.
		if c.lease.Load() == nil || !c.watch.asleep.CompareAndSwap(true, false) {
			<-c.watch.bell
		}
		idle = 0
	}
}
