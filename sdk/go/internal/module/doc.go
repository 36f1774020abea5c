// Package module gives a plugin the exports of a core WebAssembly module, contract/core-wasm.md. It is empty but for
// GOOS=wasip1.
//
// The host enters the module once at a time. What the plugin asks, it waits for in an import: nothing else runs
// meanwhile. A module has one instance of its plugin.
package module
