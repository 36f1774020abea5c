package midplane

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"midplane.dev/sdk/go/internal/seam"
)

// Reply is where an action that replies in chunks writes. Each write is a chunk for a caller who reads a stream; all
// together are the reply for one who does not. The error of a write says that nobody reads any longer: return it.
// It is an io.Writer and keeps nothing of what it is given.
type Reply interface {
	Write(chunk []byte) (int, error)
}

type chunks struct{ sink seam.Sink }

func (c chunks) Write(chunk []byte) (int, error) {
	if err := c.sink.Write(chunk); err != nil {
		return 0, answered(err)
	}
	return len(chunk), nil
}

var (
	contextType = reflect.TypeFor[Context]()
	errorType   = reflect.TypeFor[error]()
	replyType   = reflect.TypeFor[Reply]()
	bytesType   = reflect.TypeFor[[]byte]()
)

const forms = "it has to be func(midplane.Context[, In[, midplane.Reply]]) ([Out, ]error)"

// handle makes a handler of a function in one of the forms of [Plugin.Action].
func handle(function any) (handler, error) {
	// The forms on bytes take no detour.
	switch function := function.(type) {
	case func(Context, []byte) ([]byte, error):
		return func(ctx Context, input []byte, reply seam.Sink) error {
			output, err := function(ctx, input)
			if err != nil || len(output) == 0 {
				return err
			}
			return reply.Write(output)
		}, nil
	case func(Context, []byte, Reply) error:
		return func(ctx Context, input []byte, reply seam.Sink) error {
			return function(ctx, input, chunks{reply})
		}, nil
	}
	return reflected(function)
}

func reflected(function any) (handler, error) {
	value := reflect.ValueOf(function)
	if value.Kind() != reflect.Func || value.IsNil() {
		return nil, fmt.Errorf("%T is no function; %s", function, forms)
	}
	form := value.Type()
	ins, outs := form.NumIn(), form.NumOut()
	switch {
	case form.IsVariadic(), ins < 1, ins > 3, form.In(0) != contextType, outs < 1, outs > 2, form.Out(outs-1) != errorType,
		ins == 3 && (form.In(2) != replyType || outs != 1):
		return nil, fmt.Errorf("%s does not fit; %s", form, forms)
	}
	return func(ctx Context, input []byte, reply seam.Sink) error {
		args := []reflect.Value{reflect.ValueOf(ctx)}
		if ins > 1 {
			in := reflect.New(form.In(1))
			if err := read(input, in); err != nil {
				return err
			}
			args = append(args, in.Elem())
		}
		if ins > 2 {
			args = append(args, reflect.ValueOf(chunks{reply}))
		}
		results := value.Call(args)
		if err, _ := results[outs-1].Interface().(error); err != nil {
			return err
		}
		if outs == 1 {
			return nil
		}
		return write(results[0], reply)
	}, nil
}

// read fills what the pointer points at.
func read(input []byte, into reflect.Value) error {
	switch target := into.Elem(); {
	case target.Type() == bytesType:
		target.SetBytes(input)
		return nil
	case target.Kind() == reflect.String && !implements[json.Unmarshaler](into):
		target.SetString(string(input))
		return nil
	}
	return decode(input, into.Interface(), "invalid_input", "input")
}

// decode reads JSON. Nothing at all leaves the target as it is.
func decode(input []byte, into any, code, what string) error {
	if len(bytes.TrimSpace(input)) == 0 {
		return nil
	}
	if err := json.Unmarshal(input, into); err != nil {
		failure := Errorf(code, "the %s does not fit: %v", what, err)
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			_ = failure.With("at", syntax.Offset)
		}
		return failure
	}
	return nil
}

// write sends an action's result. It is one write: each is a chunk to whoever reads a stream.
func write(result reflect.Value, reply seam.Sink) error {
	if kind := result.Kind(); (kind == reflect.Pointer || kind == reflect.Interface) && result.IsNil() {
		return nil
	}
	output, err := encode(result.Interface())
	if err != nil || len(output) == 0 {
		return err
	}
	return reply.Write(output)
}

func encode(value any) ([]byte, error) {
	switch value := value.(type) {
	case []byte:
		return value, nil
	case json.RawMessage:
		return value, nil
	case string:
		return []byte(value), nil
	}
	return marshal(value)
}

// marshal writes JSON as other languages do: without turning <, > and & into escapes.
func marshal(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, Errorf("invalid_output", "the reply has no JSON: %v", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func implements[T any](value reflect.Value) bool {
	_, ok := value.Interface().(T)
	return ok
}
