//! The parts that spellings share.

use super::remote::{CONNECTION, TLS};
use super::shapes::{COUNT, DURATION, FILLED, MILLISECONDS, SIZE, SOME_SIZE, SOME_TIME, TEXTS, with_limits};
use crate::manifest::words;
use crate::reading::rule::Rule;
use crate::reading::shape::{Field, Shape, may, must};

pub(super) const TEXT: Shape = Shape::Text(Rule::Any);
const RATE: Shape = SIZE;

pub(super) const VERSION_TABLE: Shape = Shape::Table(Rule::Filled, &Shape::Text(Rule::Range));
pub(super) const DEPENDENCY_TABLE: Shape = Shape::Table(Rule::Id, &Shape::Text(Rule::Range));

/// Fields of an object, and after them those of a process, which stand in two places.
macro_rules! with_process {
    ($($field:expr,)+) => {
        &[
            $($field,)+
            may("args", Shape::List(&TEXT), "Arguments of a process"),
            may("env", Shape::Table(Rule::Variable, &TEXT), "Environment of a process; nothing else reaches it"),
            may("workdir", Shape::Text(Rule::Path), "Working folder of a process, inside the plugin's folder"),
            may("work_dir", Shape::Text(Rule::Path), "The same, as requirement 003 writes it"),
            may("executable", FILLED, "A program instead of main: a path, or a name in PATH"),
            may("protocol", Shape::Word(&words::PROTOCOLS), "What a process speaks; scripts text, everything else wire"),
            may("network", Shape::Word(&words::NETWORKS), "Where the process listens for its host to connect"),
            may("address", FILLED, "A path or host:port on that network; the host chooses where absent"),
            may("timeout", DURATION, "Longest time for one attempt to connect, with its unit: 5s"),
            may("heartbeat_interval", DURATION, "Time between two pings of the process"),
            may("max_retries", Shape::Whole(0, 3600), "How often connecting is tried, once a second"),
        ]
    };
}
pub(super) use with_process;

pub(super) const ENTRY: &[Field] = with_process![
    may("main", Shape::Text(Rule::Path), "Path of the code, inside the plugin's folder"),
    may("runtime", Shape::Word(&words::RUNTIMES), "What runs it; where absent the file's ending decides"),
    may("engine", FILLED, "Which engine of the runtime, for example node, deno or bun"),
    may("endpoints", TEXTS, "Addresses of a remote plugin: grpc://host:port, or grpcs:// with TLS"),
    may("discovery", Shape::Word(&words::DISCOVERIES), "What they mean: static, or dns for names with several records"),
    may("tls", Shape::Object(TLS), "Certificates of grpcs addresses"),
    may("connection", Shape::Object(CONNECTION), "Numbers of the connections to a remote plugin"),
];

pub(super) const INSTANCES: &[Field] = &[
    may("mode", Shape::Word(&words::MODES), "actor: one instance, calls in turn. pool: min to max instances"),
    may("min", COUNT, "Instances made at load"),
    may("max", COUNT, "Instances at most"),
];

pub(super) const LIMITS: &[Field] = with_limits![];

const ACTION: &[Field] = &[
    must("name", Shape::Text(Rule::Action), "The name callers use"),
    may("description", TEXT, "One sentence for people"),
    may("input", Shape::JsonSchema, "JSON Schema of the input"),
    may("output", Shape::JsonSchema, "JSON Schema of the output"),
    may("idempotent", Shape::Flag, "A call may be repeated without changing the outcome"),
    may("deadline", DURATION, "Longest time a call may take, with its unit: 5s"),
    may("deadline_ms", MILLISECONDS, "The same in milliseconds"),
];

pub(super) const ACTIONS: Shape = Shape::List(&Shape::Either(&[Shape::Text(Rule::Action), Shape::Object(ACTION)]));

const FILE_TYPE: &[Field] = &[
    must("extension", Shape::Text(Rule::Extension), "With its leading dot: .mp4"),
    may("mime_type", FILLED, "Media type"),
    may("priority", Shape::Signed, "The highest wins; 0 where absent"),
    may("action", Shape::Text(Rule::Action), "The action that gets the file; else the plugin's only one"),
];

pub(super) const FILE_TYPES: Shape = Shape::List(&Shape::Object(FILE_TYPE));

const INTERFACE: &[Field] = &[
    must("name", Shape::Text(Rule::Interface), "The interface's name"),
    may("version", Shape::Text(Rule::Range), "Which versions"),
];

const INTERFACE_LIST: Shape =
    Shape::List(&Shape::Either(&[Shape::Text(Rule::InterfaceRange), Shape::Object(INTERFACE)]));

const INTERFACE_PARTS: &[Field] = &[
    may("actions", ACTIONS, "The actions it answers: names, or maps"),
    may("file_types", FILE_TYPES, "The files it handles"),
    may("provides", INTERFACE_LIST, "Interfaces it provides: name@range"),
    may("consumes", INTERFACE_LIST, "Interfaces it uses: name@range"),
];

/// A list stands for `provides`.
pub(super) const INTERFACES: Shape = Shape::Either(&[Shape::Object(INTERFACE_PARTS), INTERFACE_LIST]);

const DEPENDENCY: &[Field] = &[
    may("id", Shape::Text(Rule::Id), "The other plugin's id; `core` is the host"),
    may("name", Shape::Text(Rule::Id), "Older name of id"),
    may("version", Shape::Text(Rule::Range), "Acceptable versions; any where absent"),
    may("optional", Shape::Flag, "May be missing"),
    may("type", Shape::Word(&words::DEPENDENCY_TYPES), "What it is; only plugins can be depended on"),
];

/// A list of maps or of `id@range`, or a map of id to range.
pub(super) const DEPENDENCIES: Shape = Shape::Either(&[
    Shape::List(&Shape::Either(&[Shape::Object(DEPENDENCY), Shape::Text(Rule::IdRange)])),
    DEPENDENCY_TABLE,
]);

const PERMISSION: &[Field] = &[
    must("name", Shape::Text(Rule::Permission), "The permission: area.verb[:pattern], ! denies"),
    may("reason", TEXT, "Why the plugin needs it, for the operator who grants it"),
];

pub(super) const PERMISSIONS: Shape =
    Shape::List(&Shape::Either(&[Shape::Text(Rule::Permission), Shape::Object(PERMISSION)]));

pub(crate) const RESOURCES: &[Field] = &[
    may("min_memory_mb", Shape::Whole(0, 1 << 40), "Memory that the machine must have, in MiB"),
    may("max_memory_mb", Shape::Whole(1, 1 << 40), "Memory limit of the plugin, in MiB"),
    may("requires_gpu", Shape::Flag, "Needs a graphics processor"),
    may("max_memory", SOME_SIZE, "Memory limit, in bytes or with a unit: limits.memory"),
    may("max_cpu", Shape::Share(1.0), "Processor share, 1 is one core: limits.cpu"),
    may("max_disk_io", RATE, "Disk transfer, bytes per second: limits.disk_io"),
    may("max_network_io", RATE, "Network transfer, bytes per second: limits.network_io"),
    may("timeout", SOME_TIME, "Longest call: limits.call_deadline"),
    may("max_goroutines", COUNT, "Threads or tasks: limits.threads"),
    may("max_file_descriptors", COUNT, "Open files: limits.file_descriptors"),
    may("max_network_connections", COUNT, "Open connections: limits.connections"),
];

pub(super) const COMPATIBILITY: &[Field] = &[
    may("core_version", Shape::Text(Rule::Range), "Contract versions that it works with"),
    may("min_version", Shape::Text(Rule::Version), "Oldest contract version"),
    may("max_version", Shape::Text(Rule::Version), "Newest contract version"),
    may("platforms", TEXTS, "Operating systems; a leading ! excludes, * means any"),
    may("architectures", TEXTS, "Processors; a leading ! excludes, * means any"),
    may("supported_os", TEXTS, "Operating systems, as platforms"),
    may("supported_arch", TEXTS, "Processors, as architectures"),
    may("dependencies", Shape::List(&Shape::Text(Rule::IdRange)), "Plugins it needs: id@range"),
    may("capabilities", TEXTS, "Capabilities that the host must have"),
    may("fallbacks", TEXTS, "What to load instead where this cannot run"),
    may("engines", VERSION_TABLE, "Engines and their ranges"),
];

pub(super) const STATE: &[Field] = &[must("schema", FILLED, "Version of the exported state's layout")];
