package wire

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// Memory that the process needs while it serves, beside what the plugin takes: stacks of threads, buffers, what the Go
// runtime keeps for itself.
const headroom = 24 << 20

// holdBySystem sets RLIMIT_DATA, which counts writable private memory and not address space that is merely reserved, as
// the Go runtime does by the gigabyte.
func (l *confines) holdBySystem() error {
	if l.Memory != nil {
		if err := hold(syscall.RLIMIT_DATA, *l.Memory+writableNow()+headroom); err != nil {
			return fmt.Errorf("the memory limit of %d bytes cannot be set: %w", *l.Memory, err)
		}
	}
	if l.FileDescriptors != nil {
		if err := hold(syscall.RLIMIT_NOFILE, *l.FileDescriptors); err != nil {
			return fmt.Errorf("the limit of %d file descriptors cannot be set: %w", *l.FileDescriptors, err)
		}
	}
	return nil
}

func hold(resource int, value uint64) error {
	return syscall.Setrlimit(resource, &syscall.Rlimit{Cur: value, Max: value})
}

// writableNow is the writable private memory that the process has already.
func writableNow() uint64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmData:"))
	number, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte(" "))
	kilobytes, err := strconv.ParseUint(string(number), 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}
