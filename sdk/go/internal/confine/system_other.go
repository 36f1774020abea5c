//go:build !linux

package confine

// Elsewhere the Go runtime alone holds the limits.

func addressSpace(uint64) error { return nil }

// FileDescriptors does nothing here.
func FileDescriptors(uint64) error { return nil }

// Inherited is nothing here.
func Inherited() (uint64, bool) { return 0, false }
