package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// Numbers of contract/wire.md.
const (
	magic      = "MIDPLANE"
	headSize   = 24
	mostHeader = 64 << 10
	chunkSize  = 256 << 10
	mostInput  = 64 << 20
	windowSize = 1 << 20
	deepest    = 128
	// connection is the instance number that means the connection itself.
	connection = 65_535
	noDeadline = 0xffff_ffff
)

type kind = uint8

const (
	kindHello kind = 1 + iota
	kindLoad
	kindOpen
	kindClose
	kindCall
	kindHook
	kindHost
	kindData
	kindDone
	kindError
	kindCancel
	kindCredit
	kindPing
	kindPong
	kindShutdown
)

const (
	flagMore uint8 = 1 << iota
	flagStream
	flagAbsent
)

// key names a request of either side and all frames that belong to it.
type key struct {
	instance uint16
	id       uint32
}

type frame struct {
	kind    kind
	flags   uint8
	key     key
	value   uint32
	time    uint32
	header  []byte
	payload []byte
}

func (f *frame) more() bool {
	return f.flags&flagMore != 0
}

// appendHead writes the head of a frame whose header and payload follow.
func (f *frame) appendHead(out []byte) []byte {
	out = append(out, f.kind, f.flags)
	out = binary.LittleEndian.AppendUint16(out, f.key.instance)
	for _, number := range [...]uint32{f.key.id, uint32(len(f.header)), uint32(len(f.payload)), f.value, f.time} {
		out = binary.LittleEndian.AppendUint32(out, number)
	}
	return out
}

// breach says how the host broke the protocol.
type breach string

func (b breach) Error() string {
	return string(b)
}

// readHead reads a head and says how long header and payload are. Lengths that nobody may send are refused here, before
// anything is stored.
func readHead(head []byte) (f frame, header, payload int, err error) {
	number := binary.LittleEndian.Uint32
	f = frame{
		kind: head[0], flags: head[1], key: key{binary.LittleEndian.Uint16(head[2:]), number(head[4:])},
		value: number(head[16:]), time: number(head[20:]),
	}
	claimed := [2]uint32{number(head[8:]), number(head[12:])}
	if claimed[0] > mostHeader || claimed[1] > chunkSize {
		return f, 0, 0, breach(fmt.Sprintf("a frame claims a header of %d and a payload of %d bytes", claimed[0], claimed[1]))
	}
	return f, int(claimed[0]), int(claimed[1]), nil
}

// parse reads the JSON of a frame. What is no such JSON breaks the protocol.
func parse(what string, text []byte, into any) error {
	if len(text) == 0 {
		return nil
	}
	if tooDeep(text) {
		return breach(fmt.Sprintf("the JSON of a %s frame is nested deeper than %d", what, deepest))
	}
	if err := json.Unmarshal(text, into); err != nil {
		return breach(fmt.Sprintf("the JSON of a %s frame cannot be read: %v", what, err))
	}
	return nil
}

func tooDeep(text []byte) bool {
	depth, quoted := 0, false
	for at := 0; at < len(text); at++ {
		switch letter := text[at]; {
		case quoted && letter == '\\':
			at++
		case letter == '"':
			quoted = !quoted
		case quoted:
		case letter == '{' || letter == '[':
			if depth++; depth > deepest {
				return true
			}
		case letter == '}' || letter == ']':
			depth--
		}
	}
	return false
}
