package wire

import "runtime/debug"

// confines are the limits that the process holds itself.
type confines struct {
	// Memory is in bytes.
	Memory *uint64 `json:"memory"`
	// FileDescriptors is how many may be open.
	FileDescriptors *uint64 `json:"file_descriptors"`
}

// Deepest stack, in bytes, where memory is limited: a part of it, so that endless recursion is told as what it is.
const stackShare = 2

// hold sets what the system and the Go runtime can hold.
func (l *confines) hold() error {
	if l.Memory != nil {
		// The collector works harder as the limit comes nearer; the system refuses what is beyond it.
		debug.SetMemoryLimit(int64(*l.Memory))
		debug.SetMaxStack(int(*l.Memory / stackShare))
	}
	return l.holdBySystem()
}
