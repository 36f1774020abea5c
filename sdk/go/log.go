package midplane

import "fmt"

// Level is how important a line of the log is.
type Level string

// The levels.
const (
	// LevelTrace: every step.
	LevelTrace Level = "trace"
	// LevelDebug: for whoever looks for a fault.
	LevelDebug Level = "debug"
	// LevelInfo: what happens.
	LevelInfo Level = "info"
	// LevelWarn: what may become a fault.
	LevelWarn Level = "warn"
	// LevelError: a fault.
	LevelError Level = "error"
)

// Log writes a line with fields, given as keys and values in turn, as log/slog does:
//
//	ctx.Log(midplane.LevelInfo, "stored", "key", key, "bytes", len(value))
//
// Lines beyond 16 KiB are cut. What the host answers is dropped: a log must not fail a call. What the program prints
// goes to the log as well.
func (c Context) Log(level Level, message string, keysAndValues ...any) {
	args := fields{"level": level, "message": message}
	if len(keysAndValues) > 0 {
		args["fields"] = paired(keysAndValues)
	}
	_, _ = c.Host("log", args, nil)
}

// Debug writes a line at level debug, as [Context.Log] does.
func (c Context) Debug(message string, keysAndValues ...any) {
	c.Log(LevelDebug, message, keysAndValues...)
}

// Info writes a line at level info, as [Context.Log] does.
func (c Context) Info(message string, keysAndValues ...any) {
	c.Log(LevelInfo, message, keysAndValues...)
}

// Warn writes a line at level warn, as [Context.Log] does.
func (c Context) Warn(message string, keysAndValues ...any) {
	c.Log(LevelWarn, message, keysAndValues...)
}

// Error writes a line at level error, as [Context.Log] does.
func (c Context) Error(message string, keysAndValues ...any) {
	c.Log(LevelError, message, keysAndValues...)
}

// paired makes fields of keys and values; an error is shown by its text.
func paired(keysAndValues []any) fields {
	all := fields{}
	for at := 0; at < len(keysAndValues); at += 2 {
		key := fmt.Sprint(keysAndValues[at])
		if at+1 == len(keysAndValues) {
			all["!MISSING"] = key
			break
		}
		value := keysAndValues[at+1]
		if err, is := value.(error); is {
			value = err.Error()
		}
		all[key] = value
	}
	return all
}
