// Echoes frames, a length of four bytes and so many more, on its standard input, which is a socket. No more than any peer
// in Go has to do.
package main

import (
	"encoding/binary"
	"io"
	"os"
)

func main() {
	frame := make([]byte, 65536)
	for {
		if _, err := io.ReadFull(os.Stdin, frame[:4]); err != nil {
			return
		}
		whole := frame[:4+binary.LittleEndian.Uint32(frame)]
		if _, err := io.ReadFull(os.Stdin, whole[4:]); err != nil {
			return
		}
		if _, err := os.Stdin.Write(whole); err != nil {
			return
		}
	}
}
