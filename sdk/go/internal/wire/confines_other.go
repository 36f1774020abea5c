//go:build !linux

package wire

// holdBySystem leaves the limits to the Go runtime and the host.
func (l *confines) holdBySystem() error {
	return nil
}
