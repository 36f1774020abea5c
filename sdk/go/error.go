package midplane

import (
	"context"
	"errors"
	"fmt"

	"midplane.dev/sdk/go/internal/seam"
)

// Error is an error that reaches callers whole. The host's own answers are of this type too, with a code of the
// contract: permission_denied, not_supported, plugin_not_found, deadline_exceeded, …
//
//	var failure *midplane.Error
//	if errors.As(err, &failure) && failure.Code == "permission_denied" { … }
type Error struct {
	// Code is stable and short, for programs: not_found. At most 128 bytes.
	Code string
	// Message is for people: what failed, on what. At most 16 KiB.
	Message string
	// Recoverable says that the same call may succeed later without anybody changing anything.
	Recoverable bool
	// Data are details for programs; values that have a JSON form, at most 64 KiB in all.
	Data map[string]any
}

// Errorf is an error with this code; the message is formatted as fmt.Sprintf does.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Error shows code and message.
func (e *Error) Error() string {
	return e.Code + ": " + e.Message
}

// With adds a detail for programs, and gives the error back.
func (e *Error) With(key string, value any) *Error {
	if e.Data == nil {
		e.Data = map[string]any{}
	}
	e.Data[key] = value
	return e
}

// Is makes errors.Is(err, context.Canceled) and context.DeadlineExceeded hold for the host's answers of that meaning.
func (e *Error) Is(target error) bool {
	switch target {
	case context.Canceled:
		return e.Code == "cancelled"
	case context.DeadlineExceeded:
		return e.Code == "deadline_exceeded"
	default:
		return false
	}
}

// failure turns what an action or hook returned into what is sent.
func failure(err error) *seam.Failure {
	var own *Error
	if errors.As(err, &own) {
		record := seam.Record{Code: own.Code, Message: own.Message, Recoverable: own.Recoverable, Data: own.Data}
		// A wrapped error keeps the words around it.
		if _, bare := err.(*Error); !bare {
			record.Message = err.Error()
		}
		return &seam.Failure{Record: record}
	}
	var record *seam.Record
	switch {
	case errors.As(err, &record):
		return &seam.Failure{Record: *record}
	case errors.Is(err, context.Canceled):
		return &seam.Failure{Record: seam.Record{Code: "cancelled", Message: err.Error()}}
	case errors.Is(err, context.DeadlineExceeded):
		return &seam.Failure{Record: seam.Record{Code: "deadline_exceeded", Message: err.Error()}}
	}
	return &seam.Failure{Record: seam.Record{Code: "failed", Message: err.Error()}}
}

// answered turns what the host said instead of an answer into an [*Error].
func answered(err error) error {
	var record *seam.Record
	if errors.As(err, &record) {
		return &Error{Code: record.Code, Message: record.Message, Recoverable: record.Recoverable, Data: record.Data}
	}
	return err
}
