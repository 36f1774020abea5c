//go:build midplane_cshared

package native

/*
#include "bridge.h"
#include <stdlib.h>
*/
import "C"

import (
	"context"
	"encoding/json"
	"unsafe"

	"midplane.dev/sdk/go/internal/seam"
)

// turn is one call or hook: where its reply goes, and who answers what it asks. The thread that brought it is the only
// one that may use the call.
type turn struct {
	scope  seam.Scope
	call   *C.midplane_call
	host   *C.midplane_host
	owner  C.pthread_t
	cancel context.CancelFunc
}

func begin(call *C.midplane_call) *turn {
	ctx, cancel := context.WithCancel(context.Background())
	t := &turn{call: call, host: call.host, owner: C.pthread_self(), cancel: cancel}
	lock.Lock()
	if live != nil {
		t.scope.Identity = &live.identity
	}
	lock.Unlock()
	t.scope.Context, t.scope.Host = ctx, t
	return t
}

func (t *turn) end(failed *seam.Failure) C.midplane_status {
	t.cancel()
	if failed == nil {
		return C.MIDPLANE_OK
	}
	return fail(t.call, failed)
}

// fail says why, and how that is called.
func fail(call *C.midplane_call, failed *seam.Failure) C.midplane_status {
	var data []byte
	if len(failed.Data) > 0 {
		// What has no JSON, or too much of it, is left out: code and message say it as well.
		if text, err := json.Marshal(failed.Data); err == nil && len(text) <= 64<<10 {
			data = text
		}
	}
	recoverable := C.int32_t(0)
	if failed.Recoverable {
		recoverable = 1
	}
	code, message := []byte(failed.Code), []byte(failed.Message)
	C.midplane_go_fail(call, text(code), C.size_t(len(code)), text(message), C.size_t(len(message)), recoverable,
		text(data), C.size_t(len(data)))
	if failed.Panicked {
		return C.MIDPLANE_PANICKED
	}
	return C.MIDPLANE_ERROR
}

// Write hands bytes of the reply to the host. Only the goroutine of the call can.
func (t *turn) Write(bytes []byte) error {
	if len(bytes) == 0 {
		return nil
	}
	switch C.midplane_go_write(t.call, t.owner, data(bytes), C.size_t(len(bytes))) {
	case C.MIDPLANE_OK:
		return nil
	case C.MIDPLANE_GO_STRANGER:
		return &seam.Record{Code: "not_supported", Message: "in a native library only the call's own goroutine can write its reply"}
	default:
		return &seam.Record{Code: "cancelled", Message: "nobody reads the reply any longer"}
	}
}

// Ask asks the host and waits for its answer.
func (t *turn) Ask(scope *seam.Scope, function string, args, payload []byte) ([]byte, error) {
	call := t.call
	if scope.Context.Err() != nil {
		call = nil
	}
	var answer C.midplane_go_answer
	name := []byte(function)
	status := C.midplane_go_ask(t.host, call, t.owner, text(name), C.size_t(len(name)), text(args), C.size_t(len(args)),
		data(payload), C.size_t(len(payload)), &answer)
	bytes := C.GoBytes(unsafe.Pointer(answer.data), C.int(answer.len))
	C.free(unsafe.Pointer(answer.data))
	if status != C.MIDPLANE_OK {
		return nil, seam.ReadRecord(bytes)
	}
	return bytes, nil
}

func text(bytes []byte) *C.char {
	return (*C.char)(unsafe.Pointer(unsafe.SliceData(bytes)))
}

func data(bytes []byte) *C.uint8_t {
	return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(bytes)))
}
