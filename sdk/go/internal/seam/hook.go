package seam

// Hook is a hook's number in the contract.
type Hook int

// The hooks, in the contract's order.
const (
	Info Hook = iota
	ValidateConfig
	Init
	Start
	Stop
	Cleanup
	Health
	Ping
	GetConfig
	ConfigChanged
	Event
	DependencyChanged
	ExportState
	ImportState
	Migrate
	MigrateBack
	// HookCount is how many there are.
	HookCount int = iota
)

var names = [HookCount]string{
	"info", "validate_config", "init", "start", "stop", "cleanup", "health", "ping", "get_config", "config_changed",
	"event", "dependency_changed", "export_state", "import_state", "migrate", "migrate_back",
}

// String is the hook's name in the contract.
func (h Hook) String() string {
	if h < 0 || int(h) >= HookCount {
		return "unknown"
	}
	return names[h]
}

// HookNamed finds a hook by its name in the contract.
func HookNamed(name string) (Hook, bool) {
	for number, known := range names {
		if known == name {
			return Hook(number), true
		}
	}
	return 0, false
}

// functions is the host API in the order of the wire protocol's numbers.
var functions = [...]string{
	"log", "config.get", "state.get", "state.set", "state.compare_and_set", "state.delete", "state.list", "bus.publish",
	"bus.request", "bus.subscribe", "bus.unsubscribe", "call", "service.find", "service.call", "http.fetch",
	"metrics.count", "metrics.gauge", "metrics.observe", "secret.get", "time.now", "time.monotonic", "random",
}

// FunctionNumber is the number of a function of the host API on the wire.
func FunctionNumber(name string) (uint32, bool) {
	for number, known := range functions {
		if known == name {
			return uint32(number), true
		}
	}
	return 0, false
}
