// Package wire speaks the wire protocol of contract/wire.md with a host, for a plugin that is a process of its own.
//
// One goroutine leads: it reads a frame and runs the call that it holds on the spot, so that a lone call costs one read
// and one write and wakes nobody. While it runs, it holds a lease. Whoever waits for something from the wire meanwhile
// (an answer of the host, credit) takes the lease and reads for itself; a watch takes it from a call that runs for long
// and gives it to another goroutine, so that CANCEL and PING are heard during long calls.
package wire

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"midplane.dev/sdk/go/internal/seam"
)

// conn is the connection to the host.
type conn struct {
	plugin  seam.Plugin
	actions int
	hooks   uint32
	in      reader
	out     writer
	// woke says that a goroutine was given something to do since the leader last let others run. The leader's.
	woke bool
	// lease is the job that runs on the leader's goroutine; nil while somebody reads.
	lease atomic.Pointer[job]
	// waiting counts the goroutines that wait for somebody else to read.
	waiting atomic.Int32
	watch   watch
	// What the host accepts.
	chunk, window int
	lastAsk       atomic.Uint32

	lock sync.Mutex
	jobs map[key]*job
	asks map[key]*ask
	seat *seat
	// control is the seat of what concerns the connection itself.
	control seat
}

// Serve works for the host at the other end of the stream. It ends the process: with exit code 0 when the host says so
// or is gone, with 1 when it broke the protocol.
func Serve(stream io.ReadWriter, plugin seam.Plugin) {
	c := &conn{
		plugin: plugin, actions: len(plugin.Actions()), hooks: plugin.Hooks(),
		jobs: map[key]*job{}, asks: map[key]*ask{},
	}
	c.in.source, c.out.to, c.watch.bell = stream, stream, make(chan struct{}, 1)
	c.watch.asleep.Store(true)
	if err := c.greet(); err != nil {
		c.end(err)
	}
	go c.keepWatch()
	c.lead()
	select {}
}

// lead reads and works until somebody else has taken the lead.
func (c *conn) lead() {
	for {
		ready := c.take()
		if ready != nil && !c.perform(ready, true) {
			return
		}
	}
}

// take reads one frame and does what it says; a job that is to be run at once is given back.
func (c *conn) take() *job {
	if c.woke {
		// Reading blocks the thread: whoever was given something to do runs first.
		c.woke = false
		runtime.Gosched()
	}
	f, err := c.in.next()
	if err != nil {
		c.end(err)
	}
	ready, err := c.arrive(&f)
	if err != nil {
		c.end(err)
	}
	return ready
}

// perform runs a job, and those that have waited for its end. It gives back whether this goroutine still leads.
func (c *conn) perform(j *job, leads bool) bool {
	returned := false
	defer func() {
		if !returned {
			// The plugin's code ended the goroutine. Its place is taken by others.
			j.fail(&seam.Failure{Panicked: true, Record: seam.Record{
				Code: "panicked", Message: "the function ended its goroutine with runtime.Goexit",
			}})
			c.over(j, leads)
		}
	}()
	for {
		if leads {
			c.lease.Store(j)
			c.watch.rouse()
		}
		j.serve()
		j.ended.Store(true)
		if leads {
			leads = c.lease.CompareAndSwap(j, nil)
		}
		next := c.following(j)
		if next == nil {
			returned = true
			return leads
		}
		j = next
	}
}

func (c *conn) over(j *job, leads bool) {
	j.ended.Store(true)
	if leads && c.lease.CompareAndSwap(j, nil) {
		go c.lead()
	}
	if next := c.following(j); next != nil {
		go c.perform(next, false)
	}
}

// following ends a job's turn and gives the next one of its instance.
func (c *conn) following(j *job) *job {
	c.lock.Lock()
	defer c.lock.Unlock()
	seat := j.seat
	if len(seat.queue) == 0 {
		seat.busy = nil
		return nil
	}
	seat.busy, seat.queue = seat.queue[0], seat.queue[1:]
	return seat.busy
}

// await waits until something has come or the job's caller has given up. Where a job runs on the leader's goroutine,
// nobody reads: then this one does.
func (c *conn) await(has func() bool, bell <-chan struct{}, done <-chan struct{}) {
	for !has() && !closed(done) {
		running := c.lease.Load()
		if running == nil {
			c.waiting.Add(1)
			// Whoever reads now may have begun to run something before it was known that somebody waits.
			if c.lease.Load() == nil && !has() {
				select {
				case <-bell:
				case <-done:
				}
			}
			c.waiting.Add(-1)
			continue
		}
		if !c.lease.CompareAndSwap(running, nil) {
			continue
		}
		for !has() && !closed(done) {
			if ready := c.take(); ready != nil {
				c.woke = true
				go c.perform(ready, false)
			}
		}
		c.giveBack(running)
	}
}

// giveBack ends a stretch of reading for oneself.
func (c *conn) giveBack(running *job) {
	if c.waiting.Load() > 0 {
		go c.lead()
		return
	}
	c.lease.Store(running)
	// The job may have ended meanwhile, and its goroutine found that it did not lead any longer.
	if running.ended.Load() && c.lease.CompareAndSwap(running, nil) {
		go c.lead()
	}
}

func closed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

func (c *conn) send(f frame) {
	if err := c.out.send(f); err != nil {
		c.end(err)
	}
}

// end ends the process.
func (c *conn) end(why error) {
	broken, is := why.(breach)
	if !is {
		os.Exit(0)
	}
	fmt.Fprintln(os.Stderr, "the host broke the protocol:", broken)
	record := recordJSON(&seam.Record{Code: "protocol_error", Message: string(broken)})
	_ = c.out.send(frame{kind: kindError, key: key{connection, 0}, payload: record})
	os.Exit(1)
}
