package wire

import "midplane.dev/sdk/go/internal/seam"

// Write takes a part of the reply. Where the caller reads a stream it is sent at once, as a chunk; otherwise it waits
// until a frame is full.
func (j *job) Write(bytes []byte) error {
	if j.flags&flagStream != 0 {
		return j.sendAll(bytes)
	}
	chunk := j.conn.chunk
	if len(j.tail)+len(bytes) <= chunk {
		j.tail = append(j.tail, bytes...)
		return nil
	}
	if len(j.tail) > 0 {
		room := chunk - len(j.tail)
		j.tail = append(j.tail, bytes[:room]...)
		bytes = bytes[room:]
		if err := j.sendAll(j.tail); err != nil {
			return err
		}
		j.tail = j.tail[:0]
	}
	// What fills frames goes as it is; the rest, never nothing, waits for the end.
	whole := (len(bytes) - 1) / chunk * chunk
	if err := j.sendAll(bytes[:whole]); err != nil {
		return err
	}
	j.tail = append(j.tail, bytes[whole:]...)
	return nil
}

// sendAll sends pieces that are not the last.
func (j *job) sendAll(bytes []byte) error {
	for len(bytes) > 0 {
		count, err := j.allowance(len(bytes))
		if err != nil {
			return err
		}
		j.conn.send(frame{kind: kindData, flags: flagMore, key: j.key, payload: bytes[:count]})
		bytes = bytes[count:]
	}
	return nil
}

// finish ends the reply.
func (j *job) finish() *seam.Record {
	for {
		count, err := j.allowance(len(j.tail))
		if err != nil {
			return err
		}
		if count == len(j.tail) {
			j.answer(frame{kind: kindDone, payload: j.tail})
			return nil
		}
		j.conn.send(frame{kind: kindData, flags: flagMore, key: j.key, payload: j.tail[:count]})
		j.tail = j.tail[count:]
	}
}

// allowance waits until something of so many bytes may be sent, and takes credit for it.
func (j *job) allowance(wanted int) (int, *seam.Record) {
	c := j.conn
	wanted = min(wanted, c.chunk)
	if wanted == 0 {
		return 0, nil
	}
	for {
		c.lock.Lock()
		if j.credit > 0 {
			count := min(wanted, j.credit)
			j.credit -= count
			c.lock.Unlock()
			return count, nil
		}
		if j.bell == nil {
			j.bell = make(chan struct{}, 1)
		}
		c.lock.Unlock()
		c.await(j.hasCredit, j.bell, j.ctx.Done())
		if j.ctx.Err() != nil {
			return 0, &seam.Record{Code: "cancelled", Message: "nobody reads the reply any longer"}
		}
	}
}

func (j *job) hasCredit() bool {
	j.conn.lock.Lock()
	defer j.conn.lock.Unlock()
	return j.credit > 0
}
