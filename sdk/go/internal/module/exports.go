//go:build wasip1 && go1.24

package module

import (
	"context"
	"encoding/json"
	"os"
	"unsafe"

	"midplane.dev/sdk/go/internal/seam"
)

var (
	identity seam.Identity
	// rooms are the buffers that the host has taken, by where they are.
	rooms = map[uint32][]byte{}
	// out is what the last export gave; the host reads it before it enters again.
	out []byte
)

//go:wasmexport plugin_alloc
func pluginAlloc(size uint32) uint32 {
	room := make([]byte, max(size, 1))
	at := uint32(uintptr(start(room)))
	rooms[at] = room
	return at
}

//go:wasmexport plugin_free
func pluginFree(at, _ uint32) {
	delete(rooms, at)
}

//go:wasmexport plugin_identify
func pluginIdentify(text unsafe.Pointer, length uint32) {
	_ = json.Unmarshal(given(text, length), &identity)
}

//go:wasmexport plugin_hooks
func pluginHooks() uint32 {
	plugin, refused := seam.Only()
	if refused != nil {
		return 1 << seam.Info
	}
	return plugin.Hooks()
}

//go:wasmexport plugin_resolve_action
func pluginResolveAction(name unsafe.Pointer, length uint32) int32 {
	plugin, refused := seam.Only()
	if refused != nil {
		return -1
	}
	wanted := string(given(name, length))
	for number, action := range plugin.Actions() {
		if action == wanted {
			return int32(number)
		}
	}
	return -1
}

//go:wasmexport plugin_call
func pluginCall(action uint32, input unsafe.Pointer, length uint32) uint64 {
	return enter(func(plugin seam.Plugin, scope *seam.Scope, reply *reply) *seam.Failure {
		reply.emits = true
		return plugin.Call(scope, int(action), given(input, length), reply)
	})
}

func hook(number seam.Hook, input unsafe.Pointer, length uint32) uint64 {
	return enter(func(plugin seam.Plugin, scope *seam.Scope, reply *reply) *seam.Failure {
		return plugin.Hook(scope, number, given(input, length), reply)
	})
}

// enter runs an action or a hook, and packs what it gives.
func enter(run func(seam.Plugin, *seam.Scope, *reply) *seam.Failure) uint64 {
	plugin, refused := seam.Only()
	if refused != nil {
		return pack(refused)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	reply := &reply{kept: out[:0]}
	why := run(plugin, &seam.Scope{Context: ctx, Identity: &identity, Host: host{}}, reply)
	if why != nil {
		return pack(why)
	}
	out = reply.kept
	return packed(out, 0)
}

// pack gives an error. What panicked traps: the host takes the text, and the instance is not used again.
func pack(why *seam.Failure) uint64 {
	if why.Panicked {
		text := []byte(why.Message)
		panicked(start(text), uint32(len(text)))
		os.Exit(2)
	}
	text, err := json.Marshal(why.Record)
	if err != nil {
		text, _ = json.Marshal(seam.Record{Code: why.Code, Message: why.Message, Recoverable: why.Recoverable})
	}
	out = text
	return packed(out, failed)
}

func packed(bytes []byte, mark uint64) uint64 {
	if len(bytes) == 0 {
		return mark
	}
	return uint64(uintptr(start(bytes)))<<32 | mark | uint64(len(bytes))
}

// given copies what is in the host's buffer, which the next call overwrites.
func given(at unsafe.Pointer, length uint32) []byte {
	if length == 0 {
		return nil
	}
	return append([]byte(nil), unsafe.Slice((*byte)(at), length)...)
}

// Bytes from which on a chunk is handed to the host at once, instead of being kept for the answer of the export.
const large = 64 << 10

// reply takes chunks: the last one is the answer of the export itself, those before it are emitted.
type reply struct {
	kept  []byte
	begun bool
	emits bool
}

func (r *reply) Write(bytes []byte) error {
	if !r.emits {
		r.kept = append(r.kept, bytes...)
		return nil
	}
	if r.begun && len(r.kept) > 0 {
		if err := r.emit(r.kept); err != nil {
			return err
		}
	}
	r.begun = true
	if len(bytes) >= large {
		r.kept = r.kept[:0]
		return r.emit(bytes)
	}
	r.kept = append(r.kept[:0], bytes...)
	return nil
}

func (r *reply) emit(chunk []byte) error {
	if emit(start(chunk), uint32(len(chunk))) != 0 {
		return &seam.Record{Code: "cancelled", Message: "nobody reads the reply any longer"}
	}
	return nil
}
