package wire_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestCallsAndHooksAreAnswered(t *testing.T) {
	h := opened(t, greeting)
	if answer := h.call("echo", "hi"); answer.kind != done || string(answer.payload) != "hi" {
		t.Errorf("%+v", answer)
	}
	if answer := h.call("deadline", ""); string(answer.payload) != "true" {
		t.Errorf("%s", answer.payload)
	}
	if answer := h.ask(frame{kind: hook, value: 6}); string(answer.payload) != `{"status":"healthy"}` {
		t.Errorf("%s", answer.payload)
	}
	if answer := h.ask(frame{kind: hook, value: 3}); answer.kind != done || answer.flags != absent {
		t.Errorf("%+v", answer)
	}
	h.send(frame{kind: shutdown, instance: all})
	if exit := h.exit(); exit != 0 {
		t.Errorf("it ends with %d", exit)
	}
}

func TestWhatCannotBeDoneEndsTheRequestOnly(t *testing.T) {
	h := opened(t, greeting)
	for want, f := range map[string]frame{
		"action_not_found": {kind: call, value: 99},
		"not_loaded":       {kind: call, instance: 3},
		"not_supported":    {kind: open, instance: 1, header: []byte(`{"plugin": "p"}`)},
	} {
		if answer := h.ask(f); code(answer) != want {
			t.Errorf("%s instead of %s", code(answer), want)
		}
	}
	if answer := h.call("leave", ""); code(answer) != "panicked" {
		t.Errorf("%s", code(answer))
	}
	if answer := h.call("echo", "on"); string(answer.payload) != "on" {
		t.Errorf("%+v", answer)
	}
}

func TestALargeInputIsTakenAndGivenBackAsCreditAllows(t *testing.T) {
	h := opened(t, `{"versions": [1], "limits": {"chunk": 4096, "payload": 67108864, "window": 8192}}`)
	input := bytes.Repeat([]byte("0123456789abcdef"), 3<<16)
	room, sent, id := 1<<20, 0, uint32(0)
	var output []byte
	taken, early := 0, 0
	for {
		for sent < len(input) && room > 0 {
			count := min(len(input)-sent, room, 256<<10)
			f := frame{kind: data, id: id, payload: input[sent : sent+count]}
			if sent == 0 {
				f.kind, f.value = call, h.number("echo")
			}
			if sent+count < len(input) {
				f.flags = more
			}
			id = h.send(f)
			sent, room = sent+count, room-count
		}
		answer := h.next()
		switch answer.kind {
		case credit:
			room += int(answer.value)
			continue
		case data, done:
			if sent < len(input) {
				early++
			}
		default:
			t.Fatalf("%+v", answer)
		}
		output = append(output, answer.payload...)
		if taken += len(answer.payload); taken > 8192 || len(answer.payload) > 4096 {
			t.Fatalf("%d bytes came on a window of 8192", taken)
		}
		if answer.kind == done {
			break
		}
		if taken == 8192 {
			h.send(frame{kind: credit, id: answer.id, value: 8192})
			taken = 0
		}
	}
	if !bytes.Equal(output, input) || early > 0 {
		t.Errorf("%d bytes came back of %d", len(output), len(input))
	}
}

func TestAStreamComesInTheChunksThatWereWritten(t *testing.T) {
	h := opened(t, greeting)
	id := h.send(frame{kind: call, flags: stream, value: h.number("parts"), payload: []byte("3")})
	for n := range 4 {
		f := h.next()
		if last := n == 3; f.id != id || last != (f.kind == done) || last != (len(f.payload) == 0) {
			t.Fatalf("%d: %+v", n, f)
		}
	}
	if answer := h.call("parts", "3"); answer.kind != done || len(answer.payload) != 3000 {
		t.Errorf("%+v", answer)
	}
}

func TestTheHostIsAskedWithinACallAndByGoroutinesOfItsOwn(t *testing.T) {
	h := opened(t, greeting)
	id := h.send(frame{kind: call, value: h.number("twice"), payload: []byte("x")})
	for range 2 {
		f := h.next()
		if f.kind != asked || f.value != 11 || f.id%2 != 0 || string(f.header) != `{"address":"other/echo"}` || string(f.payload) != "x" {
			t.Fatalf("%+v", f)
		}
		h.send(frame{kind: data, flags: more, id: f.id, payload: []byte("an")})
		h.send(frame{kind: done, id: f.id, payload: []byte("swer ")})
	}
	if f := h.next(); f.id != id || string(f.payload) != "answer answer " {
		t.Fatalf("%+v", f)
	}
	for range 200 {
		id = h.send(frame{kind: call, value: h.number("aside")})
		var questions []uint32
		for len(questions) < 4 {
			questions = append(questions, h.next().id)
		}
		for n := range questions {
			h.send(frame{kind: done, id: questions[3-n], payload: []byte("v")})
		}
		if f := h.next(); f.id != id || string(f.payload) != strings.Repeat("v<nil>", 4) {
			t.Fatalf("%+v", f)
		}
	}
}

func TestARefusalOfTheHostIsPassedOnWhole(t *testing.T) {
	h := opened(t, greeting)
	id := h.send(frame{kind: call, value: h.number("twice")})
	h.send(frame{kind: failed, id: h.next().id, payload: []byte(`{"code": "permission_denied", "message": "no"}`)})
	if f := h.next(); f.id != id || code(f) != "plugin_error/permission_denied" {
		t.Fatalf("%s", f.payload)
	}
}

func TestALargeQuestionIsSentToItsEndAlthoughItsCallWasCancelled(t *testing.T) {
	h := opened(t, `{"versions": [1], "limits": {"chunk": 4096, "window": 4096}}`)
	input := strings.Repeat("x", 10_000)
	id := h.send(frame{kind: call, value: h.number("twice"), payload: []byte(input)})
	question := h.next()
	if question.kind != asked || question.flags != more || len(question.payload) != 4096 {
		t.Fatalf("%+v", question)
	}
	h.send(frame{kind: cancel, id: id})
	if f := h.next(); f.id != id || code(f) != "cancelled" {
		t.Fatalf("%s", f.payload)
	}
	got := len(question.payload)
	for got < len(input) {
		h.send(frame{kind: credit, id: question.id, value: 4096})
		f := h.next()
		if f.kind != data || f.id != question.id {
			t.Fatalf("%+v", f)
		}
		got += len(f.payload)
	}
	h.send(frame{kind: done, id: question.id})
	if answer := h.call("echo", "on"); string(answer.payload) != "on" {
		t.Errorf("%+v", answer)
	}
}

func TestACancelledCallEndsAndTheNextOneWaitsItsTurn(t *testing.T) {
	h := opened(t, greeting)
	for _, action := range []string{"wait", "spin"} {
		first := h.send(frame{kind: call, value: h.number(action)})
		h.send(frame{kind: ping, id: 77})
		if f := h.next(); f.kind != pong || f.id != 77 {
			t.Fatalf("%+v", f)
		}
		second := h.send(frame{kind: call, value: h.number("echo"), payload: []byte("second")})
		third := h.send(frame{kind: call, value: h.number("echo"), payload: []byte("third")})
		h.send(frame{kind: cancel, id: third})
		if f := h.next(); f.id != third || code(f) != "cancelled" {
			t.Fatalf("%+v", f)
		}
		h.send(frame{kind: cancel, id: first})
		if f := h.next(); f.id != first || code(f) != "cancelled" {
			t.Fatalf("%s: %s", action, f.payload)
		}
		if f := h.next(); f.id != second || string(f.payload) != "second" {
			t.Fatalf("%+v", f)
		}
	}
}

func TestTheSeventeenthWaitingRequestIsTooMany(t *testing.T) {
	h := opened(t, greeting)
	first := h.send(frame{kind: call, value: h.number("wait")})
	for range 16 {
		h.send(frame{kind: call, value: h.number("echo")})
	}
	if f := h.ask(frame{kind: call, value: h.number("echo")}); code(f) != "overloaded" {
		t.Errorf("%+v", f)
	}
	h.send(frame{kind: cancel, id: first})
	seen := 0
	for seen < 17 {
		h.next()
		seen++
	}
	if answer := h.call("echo", "on"); string(answer.payload) != "on" {
		t.Errorf("%+v", answer)
	}
}

func TestBreachesOfTheProtocolEndTheProcessAndAreNamed(t *testing.T) {
	for says, f := range map[string]frame{
		"kind 1,":           {kind: hello, instance: all, header: []byte(greeting)},
		"kind 7,":           {kind: asked},
		"kind 99":           {kind: 99},
		"is empty":          {kind: data, flags: more},
		"cannot be read":    {kind: call, header: []byte(`{"caller": 3`)},
		"nested deeper":     {kind: call, header: []byte(`{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`)},
		"claims a header":   {kind: call, header: make([]byte, 65_537)},
		"a payload of 2621": {kind: call, payload: make([]byte, 262_145)},
	} {
		h := opened(t, greeting)
		h.send(f)
		answer, err := h.read()
		if err != nil || answer.id != 0 || answer.instance != all || !strings.Contains(string(answer.payload), says) {
			t.Errorf("%s: %+v, %v", says, answer, err)
		}
		if exit := h.exit(); exit != 1 {
			t.Errorf("%s: it ends with %d", says, exit)
		}
	}
	h := start(t, `{"versions": [7]}`)
	if answer := fmt.Sprintf("%s", h.next().payload); !strings.Contains(answer, "speaks protocol [7]") || h.exit() != 1 {
		t.Error(answer)
	}
}

func TestAFrameOfAKindThatIsToComeIsSkipped(t *testing.T) {
	h := opened(t, greeting)
	h.send(frame{kind: 200, id: 9, header: []byte("{}"), payload: []byte("x")})
	if answer := h.call("echo", "on"); string(answer.payload) != "on" {
		t.Errorf("%+v", answer)
	}
}

func TestTheProcessEndsWithItsHost(t *testing.T) {
	h := opened(t, greeting)
	h.send(frame{kind: call, value: h.number("wait")})
	h.wire.Close()
	h.child.Wait()
	if exit := h.child.ProcessState.ExitCode(); exit != 0 {
		t.Errorf("it ends with %d: %s", exit, h.errors)
	}
}
