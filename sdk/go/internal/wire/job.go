package wire

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"midplane.dev/sdk/go/internal/seam"
)

// Requests that may wait for one instance.
const mostWaiting = 16

// seat is where an instance sits: one job at a time, in the order in which they came.
type seat struct {
	identity seam.Identity
	busy     *job
	queue    []*job
}

// job is a request of the host, from its first frame to its answer. As a [seam.Sink] it takes the reply, as a
// [seam.Host] it asks on behalf of the call.
type job struct {
	conn  *conn
	seat  *seat
	key   key
	kind  kind
	flags uint8
	value uint32
	input []byte
	// pieces of an input that came in several frames.
	pieces [][]byte
	size   int
	// room is how many bytes may come before the host gets credit.
	room     int
	complete bool
	scope    seam.Scope
	ctx      callContext
	ended    atomic.Bool
	// answered says that the host has its answer, so that what is asked from now on is background work.
	answered atomic.Bool
	// tail is what of the reply has not been sent.
	tail []byte
	// credit is how many bytes of the answer may be sent, and bell wakes who waits for more. Under the connection's lock.
	credit int
	bell   chan struct{}
}

// origin is the header of CALL and HOOK.
type origin struct {
	Caller []seam.Link `json:"caller"`
	Trace  string      `json:"trace"`
}

func (c *conn) newJob(f *frame) (*job, error) {
	j := &job{conn: c, key: f.key, kind: f.kind, flags: f.flags, value: f.value, room: windowSize, credit: c.window}
	j.scope.Context, j.scope.Host = &j.ctx, j
	if f.time != noDeadline {
		j.ctx.deadline = time.Now().Add(time.Duration(f.time) * time.Millisecond)
	}
	if len(f.header) > 0 && f.kind != kindOpen {
		var from origin
		if err := parse("CALL or HOOK", f.header, &from); err != nil {
			return nil, err
		}
		j.scope.Callers, j.scope.Trace = from.Caller, from.Trace
	}
	if f.kind == kindOpen {
		j.input = f.header
	}
	return j, nil
}

// serve does what is asked and answers.
func (j *job) serve() {
	c := j.conn
	var refused *seam.Record
	var failed *seam.Failure
	switch j.kind {
	case kindLoad:
		refused = j.load()
	case kindOpen:
		refused = j.open()
	case kindClose:
		c.lock.Lock()
		c.seat = nil
		c.lock.Unlock()
	case kindCall:
		failed = c.plugin.Call(&j.scope, int(j.value), j.input, j)
	case kindHook:
		if j.value >= uint32(seam.HookCount) || c.hooks&(1<<j.value) == 0 {
			j.answer(frame{kind: kindDone, flags: flagAbsent})
			return
		}
		failed = c.plugin.Hook(&j.scope, seam.Hook(j.value), j.input, j)
	}
	j.input = nil
	if failed == nil && refused == nil {
		refused = j.finish()
	}
	switch {
	case failed != nil:
		j.fail(failed)
	case refused != nil:
		j.refuse(refused)
	}
}

func (j *job) open() *seam.Record {
	c := j.conn
	var opened struct {
		Plugin     string `json:"plugin"`
		Version    string `json:"version"`
		Generation uint64 `json:"generation"`
	}
	if err := parse("OPEN", j.input, &opened); err != nil {
		c.end(err)
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.seat != nil && c.seat != j.seat {
		return refusal("not_supported", "a Go process hosts one instance of its plugin")
	}
	identity := seam.Identity{ID: opened.Plugin, Version: opened.Version, Generation: opened.Generation}
	identity.Instance = uint32(j.key.instance)
	j.seat.identity = identity
	c.seat = j.seat
	return nil
}

// answer sends the frame that ends the job.
func (j *job) answer(f frame) {
	c := j.conn
	c.lock.Lock()
	delete(c.jobs, j.key)
	c.lock.Unlock()
	f.key = j.key
	c.send(f)
	j.answered.Store(true)
	j.ctx.cancel()
}

// fail answers with what the plugin says for itself. It stays whole in the record's data, as in every way to run a
// plugin; the code of the record says whose error it is.
func (j *job) fail(failed *seam.Failure) {
	own := &failed.Record
	stopped := own.Code == "cancelled" || own.Code == "deadline_exceeded"
	if failed.Panicked || stopped && j.ctx.Err() != nil {
		j.refuse(own)
		return
	}
	whole := map[string]any{"code": own.Code, "message": own.Message, "recoverable": own.Recoverable}
	if len(own.Data) > 0 {
		whole["data"] = own.Data
	}
	j.refuse(&seam.Record{Code: "plugin_error", Message: own.Message, Recoverable: own.Recoverable, Data: whole})
}

// refuse answers with an error as it is.
func (j *job) refuse(record *seam.Record) {
	j.answer(frame{kind: kindError, payload: recordJSON(record)})
}

func refusal(code, format string, args ...any) *seam.Record {
	return &seam.Record{Code: code, Message: fmt.Sprintf(format, args...)}
}

// recordJSON writes an error so that it fits one frame.
func recordJSON(record *seam.Record) []byte {
	const most = 128 << 10
	if text, err := json.Marshal(record); err == nil && len(text) <= most {
		return text
	}
	shorter := seam.Record{Code: record.Code, Message: record.Message, Recoverable: record.Recoverable}
	shorter.Data = map[string]any{"shortened": true}
	if code, is := record.Data["code"]; is {
		shorter.Data["code"] = code
	}
	if len(shorter.Message) > most/16 {
		shorter.Message = shorter.Message[:most/16]
	}
	text, err := json.Marshal(shorter)
	if err != nil {
		return []byte(`{"code":"plugin_error","message":"an error that has no JSON"}`)
	}
	return text
}
