// Package native gives a plugin the entry of a native library, contract/midplane.h. It is empty without the build tag
// midplane_cshared, so that other builds need no C compiler. midplane.h is a copy of the contract's; a test compares.
//
// A library that carries the Go runtime stays in memory until its process ends, so its place is a worker.
package native
