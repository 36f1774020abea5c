package wire

import (
	"fmt"
	"io"
	"sync"
)

// Bytes read at once. What a frame's payload has beyond them is read straight to where it stays.
const gulp = 16 << 10

// reader takes frames off the wire. It belongs to whoever leads.
type reader struct {
	source   io.Reader
	buffer   [gulp]byte
	from, to int
}

// fill makes sure that so many bytes, at most gulp, are there.
func (r *reader) fill(count int) error {
	if r.to-r.from >= count {
		return nil
	}
	r.to = copy(r.buffer[:], r.buffer[r.from:r.to])
	r.from = 0
	for r.to < count {
		got, err := r.source.Read(r.buffer[r.to:])
		r.to += got
		if err != nil && r.to < count {
			return err
		}
	}
	return nil
}

// bytes takes so many bytes into memory of their own.
func (r *reader) bytes(count int) ([]byte, error) {
	if count == 0 {
		return nil, nil
	}
	taken := make([]byte, count)
	there := copy(taken, r.buffer[r.from:r.to])
	r.from += there
	if there < count {
		if _, err := io.ReadFull(r.source, taken[there:]); err != nil {
			return nil, err
		}
	}
	return taken, nil
}

func (r *reader) begin() error {
	if err := r.fill(len(magic)); err != nil {
		return err
	}
	if first := r.buffer[r.from : r.from+len(magic)]; string(first) != magic {
		return breach(fmt.Sprintf("the host begins with %q", first))
	}
	r.from += len(magic)
	return nil
}

// next waits for a frame.
func (r *reader) next() (frame, error) {
	if err := r.fill(headSize); err != nil {
		return frame{}, err
	}
	f, header, payload, err := readHead(r.buffer[r.from:])
	if err != nil {
		return f, err
	}
	r.from += headSize
	if f.header, err = r.bytes(header); err != nil {
		return f, err
	}
	f.payload, err = r.bytes(payload)
	return f, err
}

// writer puts frames on the wire, whole and one after the other.
type writer struct {
	lock    sync.Mutex
	to      io.Writer
	scratch []byte
}

// send writes a frame in one piece, so that the host wakes once.
func (w *writer) send(f frame) error {
	w.lock.Lock()
	defer w.lock.Unlock()
	out := f.appendHead(w.scratch[:0])
	out = append(append(out, f.header...), f.payload...)
	w.scratch = out[:0]
	_, err := w.to.Write(out)
	return err
}
