package midplane

import (
	"fmt"
	"runtime/debug"

	"midplane.dev/sdk/go/internal/seam"
)

// Longest stack, in bytes, that goes with a panic's text.
const stackKept = 8 * 1024

// guarded runs a function of the plugin and catches its panic.
func guarded(run handler, ctx Context, input []byte, reply seam.Sink) (failed *seam.Failure) {
	defer func() {
		if value := recover(); value != nil {
			failed = panicked(value)
		}
	}()
	if err := run(ctx, input, reply); err != nil {
		return failure(err)
	}
	return nil
}

func panicked(value any) *seam.Failure {
	stack := debug.Stack()
	if len(stack) > stackKept {
		stack = stack[:stackKept]
	}
	record := seam.Record{Code: "panicked", Message: said(value), Data: map[string]any{"stack": string(stack)}}
	return &seam.Failure{Record: record, Panicked: true}
}

// said is the text of a panic. A value whose own Error or String panics is told apart, not followed.
func said(value any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("a panic with a %T that cannot be printed", value)
		}
	}()
	switch value := value.(type) {
	case error:
		return value.Error()
	case fmt.Stringer:
		return value.String()
	default:
		return fmt.Sprint(value)
	}
}
