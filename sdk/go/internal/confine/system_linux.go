package confine

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// addressSpace lets the process map so many bytes more than it has mapped already.
func addressSpace(more uint64) error {
	now, err := status("VmSize:")
	if err != nil {
		return err
	}
	return hold(syscall.RLIMIT_AS, now+more)
}

// FileDescriptors holds the process to so many open files.
func FileDescriptors(limit uint64) error {
	if err := hold(syscall.RLIMIT_NOFILE, limit); err != nil {
		return fmt.Errorf("the limit of %d file descriptors cannot be set: %w", limit, err)
	}
	return nil
}

// Inherited is how many more bytes of writable memory the process may have by a limit that somebody else has set.
func Inherited() (uint64, bool) {
	const infinite = ^uint64(0)
	var data syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_DATA, &data) != nil || data.Cur == infinite {
		return 0, false
	}
	now, err := status("VmData:")
	if err != nil {
		return 0, false
	}
	return data.Cur - min(data.Cur, now), true
}

func hold(resource int, value uint64) error {
	var now syscall.Rlimit
	if err := syscall.Getrlimit(resource, &now); err != nil {
		return err
	}
	value = min(value, now.Max)
	return syscall.Setrlimit(resource, &syscall.Rlimit{Cur: value, Max: value})
}

// status reads a line of /proc/self/status, in bytes.
func status(line string) (uint64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, found := bytes.Cut(text, []byte(line))
	if !found {
		return 0, fmt.Errorf("/proc/self/status has no line %s", line)
	}
	number, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte(" "))
	kilobytes, err := strconv.ParseUint(string(number), 10, 64)
	return kilobytes << 10, err
}
