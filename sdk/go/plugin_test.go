package midplane_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	midplane "midplane.dev/sdk/go"
	"midplane.dev/sdk/go/midplanetest"
)

type guest struct {
	Name string `json:"name"`
}

type greeting struct {
	Hello string `json:"hello"`
}

func greeter() *midplane.Plugin {
	return midplane.New().
		Action("greet", func(ctx midplane.Context, guest guest) (greeting, error) {
			if guest.Name == "" {
				return greeting{}, midplane.Errorf("nobody", "nobody has the name %q", guest.Name).With("name", guest.Name)
			}
			ctx.Info("greeting", "name", guest.Name)
			return greeting{guest.Name}, nil
		}).
		Describe("Greets a guest").
		Action("bytes", func(_ midplane.Context, input []byte) ([]byte, error) { return input, nil }).
		Action("upper", func(_ midplane.Context, text string) (string, error) { return strings.ToUpper(text), nil }).
		Action("nothing", func(midplane.Context) (*greeting, error) { return nil, nil }).
		Action("html", func(midplane.Context) (map[string]string, error) { return map[string]string{"a": "<&>"}, nil }).
		Action("count", func(_ midplane.Context, to int, reply midplane.Reply) error {
			for number := 1; number <= to; number++ {
				if _, err := fmt.Fprint(reply, number); err != nil {
					return err
				}
			}
			return nil
		}).
		Action("wrapped", func(midplane.Context) error {
			return fmt.Errorf("reading: %w", midplane.Errorf("gone", "it is gone"))
		}).
		Action("plain", func(midplane.Context) error { return errors.New("no luck") }).
		Action("done", func(ctx midplane.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}).
		Action("who", func(ctx midplane.Context) (any, error) {
			return map[string]any{"callers": ctx.Callers(), "trace": ctx.Trace(), "plugin": ctx.Plugin().ID}, nil
		})
}

func TestActionsTakeAndGiveWhatTheirTypesSay(t *testing.T) {
	bench := midplanetest.New(t, greeter())
	for _, one := range []struct {
		action      string
		input, want any
	}{
		{"greet", guest{"Ada"}, `{"hello":"Ada"}`},
		{"bytes", []byte("\x00\xff"), "\x00\xff"},
		{"upper", "grüße", "GRÜSSE"},
		{"nothing", nil, ""},
		{"html", nil, `{"a":"<&>"}`},
	} {
		reply, err := bench.Call(one.action, one.input)
		if err != nil || string(reply) != strings.Replace(one.want.(string), "GRÜSSE", strings.ToUpper("grüße"), 1) {
			t.Errorf("%s: %q, %v", one.action, reply, err)
		}
	}
	if lines := bench.Asked("log"); len(lines) != 1 || !strings.Contains(string(lines[0].Args), `"name":"Ada"`) {
		t.Errorf("the log is %v", lines)
	}
}

func TestAReplyComesInTheChunksThatWereWritten(t *testing.T) {
	chunks, err := midplanetest.New(t, greeter()).Chunks("count", 3)
	if err != nil || len(chunks) != 3 || string(chunks[2]) != "3" {
		t.Fatalf("%q, %v", chunks, err)
	}
}

func TestErrorsReachTheCallerWhole(t *testing.T) {
	bench := midplanetest.New(t, greeter())
	for _, one := range []struct{ action, input, code, message string }{
		{"greet", "", "nobody", "nobody has the name"},
		{"greet", "{", "invalid_input", "the input does not fit"},
		{"greet", `{"name": 3}`, "invalid_input", "name"},
		{"wrapped", "", "gone", "reading: gone: it is gone"},
		{"plain", "", "failed", "no luck"},
		{"absent", "", "action_not_found", "absent"},
	} {
		_, err := bench.Call(one.action, one.input)
		var failure *midplane.Error
		if !errors.As(err, &failure) || failure.Code != one.code || !strings.Contains(failure.Message, one.message) {
			t.Errorf("%s(%q): %v", one.action, one.input, err)
		}
	}
}

func TestAFunctionOfAnotherFormIsRefusedAtOnce(t *testing.T) {
	for _, function := range []any{
		nil, 3, func() error { return nil }, func(midplane.Context) {}, func(midplane.Context, int, int) error { return nil },
		func(midplane.Context, ...int) error { return nil }, func(midplane.Context) (int, int, error) { return 0, 0, nil },
		func(midplane.Context, int, midplane.Reply) (int, error) { return 0, nil },
	} {
		func() {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.Contains(said, "it has to be func(midplane.Context") {
					t.Errorf("%T: %s", function, said)
				}
			}()
			midplane.New().Action("odd", function)
		}()
	}
}

func TestACancelledContextEndsACall(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := midplanetest.New(t, greeter()).Within(ctx).Call("done", nil)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestAContextKnowsWhoCalls(t *testing.T) {
	bench := midplanetest.New(t, greeter()).From("00-1-2-01", midplane.Caller{Plugin: "shop", Action: "buy"})
	reply, err := bench.Call("who", nil)
	if err != nil || string(reply) != `{"callers":[{"Plugin":"shop","Action":"buy"}],"plugin":"test","trace":"00-1-2-01"}` {
		t.Fatalf("%s, %v", reply, err)
	}
}

func TestHooksAreThoseThatWereAdded(t *testing.T) {
	type settings struct {
		Color string `json:"color"`
	}
	var color string
	plugin := greeter().
		OnInit(func(_ midplane.Context, settings settings) error {
			color = settings.Color
			return nil
		}).
		OnHealthCheck(func(midplane.Context) (midplane.Health, error) {
			return midplane.Health{Status: midplane.Degraded}, nil
		}).
		OnMigrate(func(_ midplane.Context, from string, state []byte) ([]byte, error) {
			return append(state, from...), nil
		}).
		OnEvent(func(_ midplane.Context, event midplane.Event) error {
			return midplane.Errorf("seen", "%s %s", event.Type, event.Data)
		})
	bench := midplanetest.New(t, plugin)
	if _, has, err := bench.Hook("init", `{"color": "blue"}`); !has || err != nil || color != "blue" {
		t.Errorf("%v %v %s", has, err, color)
	}
	if _, _, err := bench.Hook("init", `[]`); err == nil || !strings.Contains(err.Error(), "config_invalid") {
		t.Error(err)
	}
	if answer, _, err := bench.Hook("health", nil); err != nil || string(answer) != `{"status":"degraded"}` {
		t.Errorf("%s, %v", answer, err)
	}
	if answer, _, err := bench.Hook("migrate", "{\"from\": \"1.0.0\"}\nstate"); err != nil || string(answer) != "state1.0.0" {
		t.Errorf("%s, %v", answer, err)
	}
	if _, _, err := bench.Hook("event", `{"event_type": "a.b", "data": [1]}`); err == nil || err.Error() != "seen: a.b [1]" {
		t.Error(err)
	}
	if _, has, _ := bench.Hook("stop", nil); has {
		t.Error("a hook that nobody added is there")
	}
}

func TestInfoTellsOfTheActions(t *testing.T) {
	plugin := greeter().About(midplane.Info{Description: "Greets"}).
		Action("last", func(midplane.Context) error { return nil }).Idempotent().Schema(`{"type":"null"}`, "")
	answer, _, err := midplanetest.New(t, plugin).Hook("info", nil)
	var info struct {
		Description string
		Actions     []map[string]any
	}
	if err != nil || json.Unmarshal(answer, &info) != nil || info.Description != "Greets" || len(info.Actions) != 11 {
		t.Fatalf("%s, %v", answer, err)
	}
	if info.Actions[0]["description"] != "Greets a guest" || info.Actions[10]["idempotent"] != true {
		t.Error(info.Actions)
	}
}

func TestTheHostApiNamesFunctionsAndArguments(t *testing.T) {
	seen := map[string]string{}
	note := func(asked midplanetest.Asked) ([]byte, error) {
		seen[asked.Function] = string(asked.Args) + string(asked.Payload)
		if asked.Function == "state.compare_and_set" {
			return []byte("false"), nil
		}
		return []byte(`[]`), nil
	}
	bench := midplanetest.New(t, midplane.New().Action("all", func(ctx midplane.Context) error {
		_, err := ctx.State().List("a/")
		written, lost := ctx.State().CompareAndSet("k", []byte("old"), []byte("n"), 0)
		if written {
			t.Error("what another has changed counts as written")
		}
		return errors.Join(err, lost, ctx.State().Set("k", []byte("v"), 1500e6),
			ctx.State().Delete("k"), ctx.Bus().Publish("t", []int{1}), ctx.Bus().Subscribe("t"), ctx.Bus().Unsubscribe("t"),
			ctx.CallJSON("a/b", 7, nil), ctx.Metrics().Count("n", 2, map[string]string{"a": "b"}), ctx.Metrics().Gauge("g", 0.5, nil),
			ctx.Metrics().Observe("o", 1, nil))
	}))
	for _, function := range strings.Fields("state.list state.set state.compare_and_set state.delete bus.publish bus.subscribe" +
		" bus.unsubscribe call metrics.count metrics.gauge metrics.observe") {
		bench.Answer(function, note)
	}
	if _, err := bench.Call("all", nil); err != nil {
		t.Fatal(err)
	}
	for function, want := range map[string]string{
		"state.list": `{"prefix":"a/"}`, "state.set": `{"key":"k","ttl_ms":1500}v`,
		"state.compare_and_set": `{"expected":"old","key":"k"}n`, "state.delete": `{"key":"k"}`,
		"bus.publish": `{"topic":"t"}[1]`, "bus.subscribe": `{"topic":"t"}`, "bus.unsubscribe": `{"topic":"t"}`,
		"call": `{"address":"a/b"}7`, "metrics.count": `{"labels":{"a":"b"},"name":"n","value":2}`, "metrics.gauge": `{"name":"g","value":0.5}`,
		"metrics.observe": `{"name":"o","value":1}`,
	} {
		if seen[function] != want {
			t.Errorf("%s got %s, not %s", function, seen[function], want)
		}
	}
}

func TestAWebAddressAnswersWithStatusHeadersAndBody(t *testing.T) {
	plugin := midplane.New().Action("fetch", func(ctx midplane.Context, url string) (string, error) {
		response, err := ctx.Fetch(midplane.Request{URL: url})
		return fmt.Sprint(response.Status, response.Headers["content-type"], string(response.Body)), err
	})
	bench := midplanetest.New(t, plugin)
	bench.Answer("http.fetch", func(midplanetest.Asked) ([]byte, error) {
		return []byte("{\"status\":404,\"headers\":{\"content-type\":\"text/plain\"}}\nnot\nhere"), nil
	})
	got, err := bench.Call("fetch", []byte(`"https://example.com"`))
	if err != nil || string(got) != "404text/plainnot\nhere" {
		t.Fatalf("%s, %v", got, err)
	}
}

func TestAFunctionThatTheHostDoesNotOfferIsATypedError(t *testing.T) {
	plugin := midplane.New().Action("ask", func(ctx midplane.Context) error {
		_, err := ctx.Secret("key")
		return err
	})
	_, err := midplanetest.New(t, plugin).Call("ask", nil)
	var failure *midplane.Error
	if !errors.As(err, &failure) || failure.Code != "not_supported" {
		t.Fatal(err)
	}
}
