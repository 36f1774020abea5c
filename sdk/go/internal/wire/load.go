package wire

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"

	"midplane.dev/sdk/go/internal/confine"
	"midplane.dev/sdk/go/internal/seam"
)

type limits struct {
	Chunk   int `json:"chunk"`
	Payload int `json:"payload"`
	Window  int `json:"window"`
}

type hello struct {
	Versions []int    `json:"versions"`
	Features []string `json:"features"`
	Limits   limits   `json:"limits"`
	Peer     string   `json:"peer"`
}

// greet sends this side's greeting and reads the host's.
func (c *conn) greet() error {
	ours := hello{
		[]int{1}, []string{"stream", "cancel", "host"}, limits{chunkSize, mostInput, windowSize}, "midplane-go " + runtime.Version(),
	}
	text, err := json.Marshal(ours)
	if err != nil {
		return err
	}
	if _, err := c.out.to.Write([]byte(magic)); err != nil {
		return err
	}
	if err := c.out.send(frame{kind: kindHello, key: key{connection, 0}, header: text}); err != nil {
		return err
	}
	if err := c.in.begin(); err != nil {
		return err
	}
	f, err := c.in.next()
	if err != nil {
		return err
	}
	theirs := hello{Limits: limits{chunkSize, mostInput, windowSize}}
	if f.kind != kindHello {
		return breach(fmt.Sprintf("the host's first frame is of kind %d, not HELLO", f.kind))
	}
	if err := parse("HELLO", f.header, &theirs); err != nil {
		return err
	}
	return c.agree(&theirs)
}

func (c *conn) agree(theirs *hello) error {
	spoken := false
	for _, version := range theirs.Versions {
		spoken = spoken || version == 1
	}
	if !spoken {
		return breach(fmt.Sprintf("the host speaks protocol %v, this side 1", theirs.Versions))
	}
	if theirs.Limits.Chunk < 1024 || theirs.Limits.Window < theirs.Limits.Chunk {
		return breach(fmt.Sprintf("the host accepts chunks of %d in a window of %d", theirs.Limits.Chunk, theirs.Limits.Window))
	}
	c.chunk, c.window = min(theirs.Limits.Chunk, chunkSize), theirs.Limits.Window
	return nil
}

// load answers LOAD, and takes the limits that the process has to hold.
func (j *job) load() *seam.Record {
	var asked struct {
		Limits confines `json:"limits"`
	}
	if err := parse("LOAD", j.input, &asked); err != nil {
		j.conn.end(err)
	}
	if err := asked.Limits.hold(); err != nil {
		return refusal("limit_not_enforceable", "%v", err)
	}
	c := j.conn
	var hooks []string
	for hook := seam.Hook(0); int(hook) < seam.HookCount; hook++ {
		if c.hooks&(1<<hook) != 0 {
			hooks = append(hooks, hook.String())
		}
	}
	answer := struct {
		Info    json.RawMessage `json:"info"`
		Actions []string        `json:"actions"`
		Hooks   []string        `json:"hooks"`
		BuildID string          `json:"build_id"`
	}{c.plugin.Info(), c.plugin.Actions(), hooks, buildID()}
	text, err := json.Marshal(answer)
	if err != nil {
		return refusal("internal", "what the plugin says of itself has no JSON: %v", err)
	}
	j.tail = text
	return nil
}

// confines are the limits that the process holds itself.
type confines struct {
	// Memory is in bytes.
	Memory *uint64 `json:"memory"`
	// FileDescriptors is how many may be open.
	FileDescriptors *uint64 `json:"file_descriptors"`
}

// Memory that the process may map beside its heap, in bytes.
const slack = 32 << 20

func (l *confines) hold() error {
	if l.FileDescriptors != nil {
		if err := confine.FileDescriptors(*l.FileDescriptors); err != nil {
			return err
		}
	}
	if l.Memory != nil {
		return confine.Memory(*l.Memory, slack)
	}
	return nil
}

// buildID tells one build of a program from another by its file, which stays the one that runs also after another was
// put in its place.
func buildID() string {
	path := "/proc/self/exe"
	if runtime.GOOS != "linux" {
		own, err := os.Executable()
		if err != nil {
			return ""
		}
		path = own
	}
	file, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("file:%x-%x", file.Size(), file.ModTime().UnixNano())
}
