//go:build !unix

package midplane

import "os"

// carrier is the stream on the descriptor.
func carrier(descriptor uintptr) (*os.File, error) {
	return os.NewFile(descriptor, "host"), nil
}
