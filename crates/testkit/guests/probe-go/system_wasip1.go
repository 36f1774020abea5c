package main

import "os"

const hasFiles = false

func processID() any {
	return nil
}

// abort ends the module as the Go runtime ends a program that it gives up: by proc_exit, which is a trap here.
func abort() {
	os.Exit(134)
}
