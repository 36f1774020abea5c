// Package confine holds a process that carries the Go runtime to a memory limit.
//
// The system's own limit on writable memory (RLIMIT_DATA) does not: the runtime reserves address space and makes it
// writable in place, which the system does not count as growth; then something small fails somewhere in the runtime. So
// there are three parts: the collector works towards the limit; who keeps more than the limit is ended, with words that
// the host understands; and address space for the heap is refused beyond it, which the runtime tells as what it is.
package confine

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// arena is the step, in bytes, in which the runtime takes address space for its heap on 64-bit systems.
const arena = 64 << 20

// Memory holds the process to so many bytes of heap from now on. Slack is what else it may map: stacks of threads,
// buffers, and what the runtime keeps for itself.
func Memory(limit, slack uint64) error {
	debug.SetMemoryLimit(int64(min(limit, 1<<62)))
	// Endless recursion is to be told as such, not as a heap that is full of its stack.
	debug.SetMaxStack(int(min(limit/2, 1<<30)))
	watch(limit)
	// Whole arenas: how much of the one that is there can still be used is the runtime's affair, and a block that does
	// not fit into it takes another. What is beyond the limit then is told by watch.
	arenas := (limit + arena - 1) / arena
	if err := addressSpace(arenas*arena + slack); err != nil {
		return fmt.Errorf("the memory limit of %d bytes cannot be set: %w", limit, err)
	}
	return nil
}

func read(metric string) uint64 {
	sample := []metrics.Sample{{Name: metric}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}

// mark is an object that nobody holds: its finalizer runs after each collection.
type mark struct{ limit uint64 }

// watch looks after every collection whether what is left is more than the limit. Near the limit there are many.
func watch(limit uint64) {
	runtime.SetFinalizer(&mark{limit}, func(m *mark) {
		if live := read("/gc/heap/live:bytes"); live > m.limit {
			fmt.Fprintf(os.Stderr, "fatal error: out of memory: %d bytes are in use, the limit is %d\n", live, m.limit)
			os.Exit(2)
		}
		watch(m.limit)
	})
}
