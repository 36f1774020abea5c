//go:build !wasip1 && !midplane_cshared

package midplane

import (
	"fmt"
	"os"
	"strconv"

	"midplane.dev/sdk/go/internal/wire"
)

// Serve works for the host that has started this program, and never returns. Call it last in main. Where no host has
// started the program it says so, and ends it with exit code 2.
//
// In a WebAssembly module or a native library no main runs; there Serve does nothing.
func Serve(plugin *Plugin) {
	said := os.Getenv("MIDPLANE_FD")
	descriptor, err := strconv.ParseUint(said, 10, 31)
	if said == "" || err != nil {
		fmt.Fprintln(os.Stderr, "This is a Midplane plugin; a host starts it. Try: midplane run", "FOLDER")
		os.Exit(2)
	}
	stream, err := carrier(uintptr(descriptor))
	if err != nil {
		fmt.Fprintf(os.Stderr, "MIDPLANE_FD says %s, which is no open descriptor: %v\n", said, err)
		os.Exit(2)
	}
	wire.Serve(stream, inside{plugin})
}
