package main

import (
	"bytes"
	"encoding/json"
	"time"

	midplane "midplane.dev/sdk/go"
)

const mebibyte = 1 << 20

// page is smaller than any, so that touching one byte of each stretch touches every page.
const page = 4096

// allocate is the input of `allocate`.
type allocate struct {
	MiB int `json:"mib"`
	// Keep holds the memory until the instance ends.
	Keep bool `json:"keep"`
}

// chunks is the input of `chunks`.
type chunks struct {
	Count int `json:"count"`
	Size  int `json:"size"`
}

// sleep is the input of `sleep`.
type sleep struct {
	Milliseconds int64 `json:"ms"`
}

func load(plugin *midplane.Plugin) {
	plugin.
		Action("allocate", func(_ midplane.Context, wanted allocate) (map[string]int, error) {
			memory := make([]byte, wanted.MiB*mebibyte)
			pages := 0
			for at := 0; at < len(memory); at += page {
				memory[at] = 1
				pages += int(memory[at])
			}
			if wanted.Keep {
				kept = append(kept, memory)
			}
			return map[string]int{"bytes": len(memory), "pages": pages}, nil
		}).
		Describe("{mib, keep?}: takes that much memory and touches all of it; answers {bytes, pages}").
		Action("chunks", func(_ midplane.Context, input []byte, reply midplane.Reply) error {
			var wanted chunks
			if err := json.Unmarshal(input, &wanted); err != nil {
				return midplane.Errorf("invalid_input", "%v", err)
			}
			for number := range wanted.Count {
				if _, err := reply.Write(bytes.Repeat([]byte{byte(number)}, wanted.Size)); err != nil {
					return err
				}
			}
			return nil
		}).
		Describe("{count, size}: replies in so many writes; every byte of chunk n is n modulo 256").
		Action("sleep", func(_ midplane.Context, sleep sleep) error {
			if !hasFiles {
				return midplane.Errorf("not_supported", "a WebAssembly probe cannot sleep; use hang")
			}
			time.Sleep(time.Duration(sleep.Milliseconds) * time.Millisecond)
			return nil
		}).
		Describe("{ms}: sleeps; not in WebAssembly")
}
