// Package midplane makes Midplane plugins in Go. It needs nothing but the standard library.
//
//	package main
//
//	import midplane "midplane.dev/sdk/go"
//
//	type Guest struct{ Name string `json:"name"` }
//	type Greeting struct{ Hello string `json:"hello"` }
//
//	var plugin = midplane.New().
//		Action("greet", func(ctx midplane.Context, guest Guest) (Greeting, error) {
//			ctx.Info("greeting", "name", guest.Name)
//			return Greeting{Hello: guest.Name}, nil
//		})
//
//	func main() { midplane.Serve(plugin) }
//
// # Three builds of one source
//
//	go build -o plugin .                                                a program; the host runs it as a process
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o plugin.wasm .   a WebAssembly module (Go 1.24 or newer)
//	go build -tags midplane_cshared -buildmode=c-shared -o libplugin.so .   a native library, for a worker (cgo)
//
// The last two run no main function: make the plugin in a package variable, as above, or in init. They answer as the
// program does. A WebAssembly module has no files, no network and no threads of its own, and a panic costs it its
// instance; a library's panic does so too.
//
// # One instance
//
// A program is one instance of its plugin and gets one call or hook at a time, so the plugin's state can be plain
// variables. What goroutines of your own share with it, you guard. A panic in an action or hook is caught and answered
// as `panicked`; one in a goroutine that you started ends the process, as everywhere in Go.
//
// # Errors
//
// An action that returns an error answers with it: an [*Error] as it is, any other error with the code `failed` and its
// text. Callers get `plugin_error`, with code, message, recoverable and data of the error in the record's data. Input
// that does not fit is answered `invalid_input`, a configuration that does not fit `config_invalid`.
//
// # Cancellation and deadlines
//
// [Context] is a context.Context. It is done when the caller gives up or its deadline has passed: return then. A call
// that has not returned 500 ms later costs the process.
//
// # Limits
//
// Input and reply have at most 64 MiB each, a reply that is streamed has no limit; arguments of host functions 64 KiB;
// log lines 16 KiB. Where the host limits the plugin's memory, the garbage collector knows, and what goes beyond ends
// the process: callers get `memory_limit`.
//
// Package midplanetest drives a plugin in a unit test, without a host.
package midplane
