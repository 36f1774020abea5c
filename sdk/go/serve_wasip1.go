//go:build wasip1

package midplane

import _ "midplane.dev/sdk/go/internal/module"

// Serve does nothing in a WebAssembly module: its host reaches the plugin through the module's exports.
func Serve(*Plugin) {}
