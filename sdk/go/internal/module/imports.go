//go:build wasip1 && go1.24

package module

import (
	"unsafe"

	"midplane.dev/sdk/go/internal/seam"
)

//go:wasmimport midplane panicked
func panicked(text unsafe.Pointer, length uint32)

//go:wasmimport midplane emit
func emit(chunk unsafe.Pointer, length uint32) int32

//go:wasmimport midplane host_call
func hostCall(
	function unsafe.Pointer, functionLength uint32, args unsafe.Pointer, argsLength uint32, payload unsafe.Pointer,
	payloadLength uint32,
) uint64

//go:wasmimport midplane host_result
func hostResult(at unsafe.Pointer)

// failed marks a packed length, of an answer or a result, as that of an error.
const failed = 1 << 31

// host asks the host API.
type host struct{}

func (host) Ask(_ *seam.Scope, function string, args, payload []byte) ([]byte, error) {
	packed := hostCall(
		unsafe.Pointer(unsafe.StringData(function)), uint32(len(function)), start(args), uint32(len(args)), start(payload),
		uint32(len(payload)),
	)
	answer := make([]byte, packed&(failed-1))
	hostResult(start(answer))
	if packed&failed != 0 {
		return nil, seam.ReadRecord(answer)
	}
	return answer, nil
}

// start is where bytes begin.
func start(bytes []byte) unsafe.Pointer {
	return unsafe.Pointer(unsafe.SliceData(bytes))
}
