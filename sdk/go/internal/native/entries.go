//go:build midplane_cshared

package native

/*
#include "bridge.h"
*/
import "C"

import (
	"sync"
	"unsafe"

	"midplane.dev/sdk/go/internal/confine"
	"midplane.dev/sdk/go/internal/seam"
)

// instance is the one instance of the library.
type instance struct {
	host     *C.midplane_host
	identity seam.Identity
}

var (
	lock sync.Mutex
	live *instance
)

// Memory that the worker may map beside the library's heap, in bytes: it holds payloads of its own.
const slack = 96 << 20

var confined sync.Once

// The handle of the one instance, which C keeps; not null.
const handle = 1

//export midplaneGoHooks
func midplaneGoHooks() C.uint32_t {
	plugin, failed := seam.Only()
	if failed != nil {
		return 1 << seam.Info
	}
	return C.uint32_t(plugin.Hooks())
}

//export midplaneGoResolve
func midplaneGoResolve(name *C.char, length C.size_t) C.int32_t {
	plugin, failed := seam.Only()
	if failed != nil {
		return -1
	}
	wanted := C.GoStringN(name, C.int(length))
	for number, action := range plugin.Actions() {
		if action == wanted {
			return C.int32_t(number)
		}
	}
	return -1
}

//export midplaneGoCreate
func midplaneGoCreate(host *C.midplane_host, info *C.midplane_instance_info, call *C.midplane_call, made *C.uintptr_t) C.midplane_status {
	lock.Lock()
	defer lock.Unlock()
	if live != nil {
		return fail(call, &seam.Failure{Record: seam.Record{
			Code: "not_supported", Message: "a Go library has one instance at a time: set instances.max to 1",
		}})
	}
	live = &instance{host, seam.Identity{
		ID:         C.GoStringN(info.id, C.int(info.id_len)),
		Version:    C.GoStringN(info.version, C.int(info.version_len)),
		Generation: uint64(info.generation),
		Instance:   uint32(info.number),
	}}
	confined.Do(func() {
		// The worker has limited its memory before it loaded this library.
		if memory, is := confine.Inherited(); is {
			_ = confine.Memory(memory, slack)
		}
	})
	*made = handle
	return C.MIDPLANE_OK
}

//export midplaneGoDestroy
func midplaneGoDestroy(C.uintptr_t) {
	lock.Lock()
	defer lock.Unlock()
	live = nil
}

//export midplaneGoCall
func midplaneGoCall(_ C.uintptr_t, action C.int32_t, input *C.uint8_t, length C.size_t, call *C.midplane_call) C.midplane_status {
	plugin, failed := seam.Only()
	if failed != nil {
		return fail(call, failed)
	}
	turn := begin(call)
	failed = plugin.Call(&turn.scope, int(action), taken(input, length), turn)
	return turn.end(failed)
}

//export midplaneGoHook
func midplaneGoHook(_ C.uintptr_t, number C.int32_t, input *C.uint8_t, length C.size_t, call *C.midplane_call) C.midplane_status {
	plugin, failed := seam.Only()
	if failed != nil {
		return fail(call, failed)
	}
	turn := begin(call)
	failed = plugin.Hook(&turn.scope, seam.Hook(number), taken(input, length), turn)
	return turn.end(failed)
}

// taken copies what is C's only until the function returns.
func taken(bytes *C.uint8_t, length C.size_t) []byte {
	if length == 0 {
		return nil
	}
	return append([]byte(nil), unsafe.Slice((*byte)(bytes), length)...)
}
