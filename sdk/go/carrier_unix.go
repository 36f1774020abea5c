//go:build unix && !wasip1

package midplane

import (
	"os"
	"syscall"
)

// carrier is the stream on the descriptor, which programs that the plugin starts do not inherit. It blocks a thread
// rather than going through the poller: one system call less for each call.
func carrier(descriptor uintptr) (*os.File, error) {
	if err := syscall.SetNonblock(int(descriptor), false); err != nil {
		return nil, err
	}
	syscall.CloseOnExec(int(descriptor))
	return os.NewFile(descriptor, "host"), nil
}
