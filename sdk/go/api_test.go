package midplane_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	midplane "midplane.dev/sdk/go"
	"midplane.dev/sdk/go/midplanetest"
)

// asking puts a plugin on a bench whose one action is this function.
func asking(t *testing.T, ask func(ctx midplane.Context) (any, error)) *midplanetest.Bench {
	return midplanetest.New(t, midplane.New().Action("ask", ask))
}

func argsOf(bench *midplanetest.Bench, function string) string {
	var all []json.RawMessage
	for _, asked := range bench.Asked(function) {
		all = append(all, asked.Args)
	}
	text, _ := json.Marshal(all)
	return string(text)
}

func code(err error) string {
	var failure *midplane.Error
	if errors.As(err, &failure) {
		return failure.Code
	}
	return fmt.Sprint(err)
}

func TestStateIsKeptComparedAndListed(t *testing.T) {
	bench := asking(t, func(ctx midplane.Context) (any, error) {
		state := ctx.State()
		set := errors.Join(state.SetJSON("a/1", 7, 0), state.Set("a/2", []byte("old"), 1500*time.Microsecond))
		written, one := state.CompareAndSet("a/2", []byte("old"), []byte("new"), time.Second)
		lost, two := state.CompareAndSet("a/2", []byte("old"), []byte("other"), 0)
		fresh, three := state.CompareAndSet("b", nil, nil, 0)
		kept, _, four := state.Get("a/2")
		_, empty, five := state.Get("b")
		var number int
		known, six := state.GetJSON("a/1", &number)
		deleted := state.Delete("b")
		_, gone, seven := state.Get("b")
		absent, eight := state.GetJSON("b", &number)
		under, nine := state.List("a/")
		all, ten := state.List("")
		return []any{written, lost, fresh, string(kept), empty, known, number, gone, absent, under, all},
			errors.Join(set, one, two, three, four, five, six, deleted, seven, eight, nine, ten)
	})
	reply, err := bench.Call("ask", nil)
	if err != nil || string(reply) != `[true,false,true,"new",true,true,7,false,false,["a/1","a/2"],["a/1","a/2"]]` {
		t.Errorf("%s, %v", reply, err)
	}
	if args := argsOf(bench, "state.set"); args != `[{"key":"a/1"},{"key":"a/2","ttl_ms":2}]` {
		t.Error(args)
	}
	if args := argsOf(bench, "state.list"); args != `[{"prefix":"a/"},{}]` {
		t.Error(args)
	}
}

func TestAnswersThatDoNotFitAreTypedErrors(t *testing.T) {
	for _, one := range []struct {
		function, answer, code string
		ask                    func(ctx midplane.Context) (any, error)
	}{
		{"state.compare_and_set", "", "protocol_error", func(ctx midplane.Context) (any, error) {
			return ctx.State().CompareAndSet("k", nil, nil, 0)
		}},
		{"log", "", "invalid_input", func(ctx midplane.Context) (any, error) {
			return ctx.State().CompareAndSet("k", []byte{0xff}, nil, 0)
		}},
		{"http.fetch", "{}\nbody", "protocol_error", func(ctx midplane.Context) (any, error) {
			return ctx.Fetch(midplane.Request{URL: "https://example.com"})
		}},
		{"time.now", `"soon"`, "protocol_error", func(ctx midplane.Context) (any, error) { return ctx.Now() }},
		{"secret.get", "\xff", "protocol_error", func(ctx midplane.Context) (any, error) { return ctx.Secret("k") }},
		{"call", "{", "invalid_reply", func(ctx midplane.Context) (any, error) {
			var out any
			return out, ctx.CallJSON("a/b", 1, &out)
		}},
	} {
		bench := asking(t, one.ask).Answer(one.function, func(midplanetest.Asked) ([]byte, error) {
			return []byte(one.answer), nil
		})
		if _, err := bench.Call("ask", nil); code(err) != one.code {
			t.Errorf("%s: %v", one.function, err)
		}
	}
}

func TestARefusedKeyIsNotAMissingOne(t *testing.T) {
	bench := asking(t, func(ctx midplane.Context) (any, error) {
		_, found, err := ctx.State().Get("k")
		return found, err
	})
	bench.Answer("state.get", func(midplanetest.Asked) ([]byte, error) {
		return nil, midplane.Errorf("permission_denied", "no")
	})
	if _, err := bench.Call("ask", nil); code(err) != "permission_denied" {
		t.Fatal(err)
	}
}

func TestOthersAreAskedWithRangesAndDeadlines(t *testing.T) {
	bench := asking(t, func(ctx midplane.Context) (any, error) {
		var out any
		greeter := ctx.Service("greeter", "^1")
		_, called := ctx.CallWithin(-time.Second, "a/b", nil)
		_, requested := ctx.Bus().RequestWithin(time.Nanosecond, "t", nil, midplane.ContentType("text/plain"))
		found, missing := ctx.Service("greeter", "").Find()
		_, served := greeter.CallWithin(2*time.Second, "greet", []byte("x"))
		return len(found), errors.Join(called, requested, missing, served, greeter.CallJSON("greet", "<x>", &out),
			ctx.Bus().RequestJSON("t", []int{1}, nil), ctx.Bus().Publish("t", []byte("<raw>")), ctx.Bus().Publish("t", "text"),
			ctx.Bus().Publish("t", []byte("text"), midplane.ContentType("text/plain"), midplane.Retain()),
			ctx.Bus().Subscribe("t.*", midplane.Group("g"), midplane.Filter(map[string]any{"color": "red"})),
			ctx.Bus().Subscribe("t"))
	})
	for _, function := range []string{"call", "bus.request", "service.find", "service.call"} {
		bench.Answer(function, func(midplanetest.Asked) ([]byte, error) { return []byte("[1]"), nil })
	}
	if reply, err := bench.Call("ask", nil); err != nil || string(reply) != "1" {
		t.Fatalf("%s, %v", reply, err)
	}
	for function, want := range map[string]string{
		"call":         `[{"address":"a/b","deadline_ms":0}]`,
		"bus.request":  `[{"content_type":"text/plain","deadline_ms":1,"topic":"t"},{"topic":"t"}]`,
		"service.find": `[{"interface":"greeter"}]`,
		"service.call": `[{"action":"greet","deadline_ms":2000,"interface":"greeter","range":"^1"},` +
			`{"action":"greet","interface":"greeter","range":"^1"}]`,
		"bus.publish":   `[{"topic":"t"},{"topic":"t"},{"content_type":"text/plain","retain":true,"topic":"t"}]`,
		"bus.subscribe": `[{"filter":{"color":"red"},"group":"g","topic":"t.*"},{"topic":"t"}]`,
	} {
		if args := argsOf(bench, function); args != want {
			t.Errorf("%s got %s, not %s", function, args, want)
		}
	}
	published := bench.Asked("bus.publish")
	if string(published[0].Payload) != "<raw>" || string(published[1].Payload) != `"text"` {
		t.Errorf("%q", published)
	}
}

func TestWhatTheEventHookReturnsIsTheAnswer(t *testing.T) {
	event := `{"event_type": "orders.total", "data": {"n": 2}}`
	for _, one := range []struct {
		answer string
		hook   any
	}{
		{`{"total":2}`, func(_ midplane.Context, event midplane.Event) (map[string]int, error) {
			var data struct{ N int }
			err := json.Unmarshal(event.Data, &data)
			return map[string]int{"total": data.N}, err
		}},
		{"raw", func(midplane.Context, midplane.Event) ([]byte, error) { return []byte("raw"), nil }},
		{"", func(midplane.Context, midplane.Event) (*int, error) { return nil, nil }},
		{"", func(midplane.Context, midplane.Event) error { return nil }},
	} {
		answer, has, err := midplanetest.New(t, midplane.New().OnEvent(one.hook)).Hook("event", event)
		if string(answer) != one.answer || !has || err != nil {
			t.Errorf("%T: %q, %v, %v", one.hook, answer, has, err)
		}
	}
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "has to be func(midplane.Context, midplane.Event)") {
			t.Error(text)
		}
	}()
	midplane.New().OnEvent(func(midplane.Context, string) error { return nil })
}

func TestABenchHasConfigurationClocksAndChance(t *testing.T) {
	bench := asking(t, func(ctx midplane.Context) (any, error) {
		var all map[string]int
		var depth, width int
		read := errors.Join(ctx.Config(&all), ctx.ConfigValue("depth", &depth), ctx.ConfigValue("width", &width))
		now, one := ctx.Now()
		begin, two := ctx.Monotonic()
		end, three := ctx.Monotonic()
		drawn, four := ctx.Random(70)
		_, five := ctx.Random(1 << 20)
		return []any{all, depth, width, now.IsZero(), begin <= end, len(drawn), code(five), ctx.Action(), ctx.Plugin().Instance},
			errors.Join(read, one, two, three, four)
	}).Config(map[string]int{"depth": 3})
	reply, err := bench.Call("ask", nil)
	if err != nil || string(reply) != `[{"depth":3},3,0,false,true,70,"limit_exceeded","ask",0]` {
		t.Fatalf("%s, %v", reply, err)
	}
}

func TestABodyIsReadAsTextAndAsJSON(t *testing.T) {
	var into []int
	response := midplane.Response{Body: []byte("[1]")}
	if err := response.JSON(&into); err != nil || len(into) != 1 || response.Text() != "[1]" {
		t.Errorf("%v, %v", into, err)
	}
	if err := (midplane.Response{Body: []byte("[")}).JSON(&into); code(err) != "invalid_reply" {
		t.Error(err)
	}
	if text := (midplane.Response{Body: []byte("a\xff")}).Text(); text != "a\uFFFD" {
		t.Errorf("%q", text)
	}
}
