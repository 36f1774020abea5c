package wire_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	midplane "midplane.dev/sdk/go"
)

// The plugin that the tests drive: this program again, as a child with a wire.
func TestMain(m *testing.M) {
	if os.Getenv("MIDPLANE_FD") == "" {
		os.Exit(m.Run())
	}
	midplane.Serve(midplane.New().
		Action("echo", func(_ midplane.Context, input []byte) ([]byte, error) { return input, nil }).
		Action("twice", func(ctx midplane.Context, input []byte) ([]byte, error) {
			first, err := ctx.Call("other/echo", input)
			if err != nil {
				return nil, err
			}
			second, err := ctx.Call("other/echo", input)
			return append(first, second...), err
		}).
		Action("aside", func(ctx midplane.Context) (string, error) {
			answers := make(chan string)
			for range 4 {
				go func() {
					answer, _, err := ctx.State().Get("k")
					answers <- fmt.Sprint(string(answer), err)
				}()
			}
			all := ""
			for range 4 {
				all += <-answers
			}
			return all, nil
		}).
		Action("wait", func(ctx midplane.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}).
		Action("spin", func(ctx midplane.Context) error {
			for ctx.Err() == nil {
			}
			return ctx.Err()
		}).
		Action("leave", func(midplane.Context) error { return leave() }).
		Action("deadline", func(ctx midplane.Context) (bool, error) {
			at, has := ctx.Deadline()
			return has && time.Until(at) > 0 && time.Until(at) < time.Minute, nil
		}).
		Action("parts", func(_ midplane.Context, count int, reply midplane.Reply) error {
			for range count {
				if _, err := reply.Write(bytes.Repeat([]byte("x"), 1000)); err != nil {
					return err
				}
			}
			return nil
		}).
		OnHealthCheck(func(midplane.Context) (midplane.Health, error) { return midplane.Health{Status: midplane.Healthy}, nil }))
}

// Kinds and flags of frames, as contract/wire.md has them.
const (
	hello, load, open, closing, call, hook, asked, data, done, failed, cancel, credit, ping, pong, shutdown = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	more, stream, absent                                                                                    = 1, 2, 4
	all                                                                                                     = 65_535
)

type frame struct {
	kind, flags     uint8
	instance        uint16
	id, value, time uint32
	header, payload []byte
}

// host is the other end.
type host struct {
	t       *testing.T
	wire    net.Conn
	child   *exec.Cmd
	errors  *bytes.Buffer
	actions []string
	lastID  uint32
}

// start makes a child and greets it with these limits.
func start(t *testing.T, greeting string) *host {
	t.Helper()
	ours, theirs, err := socketPair()
	if err != nil {
		t.Skip("no socket pair on this system:", err)
	}
	child := exec.Command(os.Args[0])
	said := &bytes.Buffer{}
	child.Env, child.Stderr, child.ExtraFiles = []string{"MIDPLANE_FD=3"}, said, []*os.File{theirs}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	wire, err := net.FileConn(ours)
	if err != nil {
		t.Fatal(err)
	}
	ours.Close()
	h := &host{t: t, wire: wire, child: child, errors: said}
	t.Cleanup(func() {
		wire.Close()
		child.Wait()
	})
	if _, err := wire.Write([]byte("MIDPLANE")); err != nil {
		t.Fatal(err)
	}
	h.send(frame{kind: hello, instance: all, header: []byte(greeting)})
	first := make([]byte, 8)
	if _, err := io.ReadFull(wire, first); err != nil || string(first) != "MIDPLANE" {
		t.Fatalf("%q, %v", first, err)
	}
	if f := h.next(); f.kind != hello || !strings.Contains(string(f.header), `"versions":[1]`) {
		t.Fatalf("the greeting is %+v", f)
	}
	return h
}

const greeting = `{"versions": [1], "unknown": true}`

// opened is a child with an instance.
func opened(t *testing.T, greeting string) *host {
	t.Helper()
	h := start(t, greeting)
	answer := h.ask(frame{kind: load, instance: all, payload: []byte(`{"limits": {}, "generation": 1}`)})
	var loaded struct {
		Actions, Hooks []string
		BuildID        string `json:"build_id"`
	}
	if err := json.Unmarshal(answer.payload, &loaded); err != nil || fmt.Sprint(loaded.Hooks) != "[info health]" || loaded.BuildID == "" {
		t.Fatalf("%s, %v", answer.payload, err)
	}
	h.actions = loaded.Actions
	h.ask(frame{kind: open, header: []byte(`{"plugin": "p", "version": "1.0.0", "generation": 1}`)})
	return h
}

func (h *host) send(f frame) uint32 {
	h.t.Helper()
	switch f.kind {
	case load, open, closing, call, hook:
		if f.id == 0 {
			h.lastID += 2
			f.id = h.lastID - 1
		}
	}
	out := append([]byte{f.kind, f.flags}, binary.LittleEndian.AppendUint16(nil, f.instance)...)
	if f.time == 0 {
		f.time = 0xffff_ffff
	}
	for _, number := range []uint32{f.id, uint32(len(f.header)), uint32(len(f.payload)), f.value, f.time} {
		out = binary.LittleEndian.AppendUint32(out, number)
	}
	if _, err := h.wire.Write(append(append(out, f.header...), f.payload...)); err != nil {
		h.t.Logf("writing a frame of kind %d: %v", f.kind, err)
	}
	return f.id
}

func (h *host) next() frame {
	h.t.Helper()
	f, err := h.read()
	if err != nil {
		h.t.Fatalf("the child is gone: %v\n%s", err, h.errors)
	}
	return f
}

func (h *host) read() (frame, error) {
	// Only so that a broken test ends.
	h.wire.SetReadDeadline(time.Now().Add(time.Minute))
	head := make([]byte, 24)
	if _, err := io.ReadFull(h.wire, head); err != nil {
		return frame{}, err
	}
	number := binary.LittleEndian.Uint32
	f := frame{
		kind: head[0], flags: head[1], instance: binary.LittleEndian.Uint16(head[2:]), id: number(head[4:]),
		value: number(head[16:]), time: number(head[20:]), header: make([]byte, number(head[8:])), payload: make([]byte, number(head[12:])),
	}
	_, one := io.ReadFull(h.wire, f.header)
	_, two := io.ReadFull(h.wire, f.payload)
	return f, errors.Join(one, two)
}

// ask sends a request and gives the frame that answers it.
func (h *host) ask(f frame) frame {
	h.t.Helper()
	id := h.send(f)
	for {
		if answer := h.next(); answer.id == id {
			return answer
		}
	}
}

func (h *host) number(action string) uint32 {
	for number, name := range h.actions {
		if name == action {
			return uint32(number)
		}
	}
	h.t.Fatalf("there is no action %s", action)
	return 0
}

func (h *host) call(action, input string) frame {
	h.t.Helper()
	return h.ask(frame{kind: call, value: h.number(action), payload: []byte(input), time: 10_000})
}

// code is the code of an error's record.
func code(f frame) string {
	var record struct {
		Code string
		Data struct{ Code string }
	}
	if f.kind != failed || json.Unmarshal(f.payload, &record) != nil {
		return fmt.Sprintf("no error: kind %d, %.100s", f.kind, f.payload)
	}
	if record.Data.Code != "" {
		return record.Code + "/" + record.Data.Code
	}
	return record.Code
}

// exit is the code that the child ends with.
func (h *host) exit() int {
	for {
		if _, err := h.read(); err != nil {
			break
		}
	}
	h.child.Wait()
	return h.child.ProcessState.ExitCode()
}
