//go:build midplane_cshared && !wasip1

package midplane

import _ "midplane.dev/sdk/go/internal/native"

// Serve does nothing in a native library: its host reaches the plugin through the library's table.
func Serve(*Plugin) {}
