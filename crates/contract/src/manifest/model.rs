//! The one model that all three spellings of a manifest parse into.

mod process;
mod remote;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use process::{Network, ProcessSpec, Protocol};
pub use remote::{ConnectionSpec, Discovery, RemoteSpec, TlsSpec};

use crate::{ActionSpec, Instances, Limits, Permission, Placement, PluginId, RuntimeKind, Version, VersionRange};

/// Who a plugin is, what it needs and what it offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The id that everything else refers to.
    pub id: PluginId,
    /// Name for people; the id where none was written.
    pub name: String,
    /// The plugin's version.
    pub version: Version,
    /// One sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// A web address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// Where its source is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Its part in an application.
    #[serde(rename = "type", default)]
    pub plugin_type: PluginType,
    /// What to run, and by what. Names nothing in a package's metadata that comes without code.
    #[serde(default, skip_serializing_if = "Entry::is_unnamed")]
    pub entry: Entry,
    /// Where to run it; `None` means the contract's default for the runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// How many instances.
    #[serde(default)]
    pub instances: Instances,
    /// What it may use at most.
    #[serde(default)]
    pub limits: Limits,
    /// The actions it answers; empty means what the code itself names.
    #[serde(default)]
    pub actions: Vec<ActionSpec>,
    /// The files it handles.
    #[serde(default)]
    pub file_types: Vec<FileType>,
    /// Interfaces it provides.
    #[serde(default)]
    pub provides: Vec<InterfaceRef>,
    /// Interfaces it uses.
    #[serde(default)]
    pub consumes: Vec<InterfaceRef>,
    /// Other plugins that it needs.
    #[serde(default)]
    pub dependencies: Vec<Dependency>,
    /// What it asks for. Nothing else can be granted.
    #[serde(default)]
    pub permissions: Vec<Permission>,
    /// JSON Schema of its configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_schema: Option<Value>,
    /// Configuration that the manifest itself brings.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub config: Map<String, Value>,
    /// What the machine must have.
    #[serde(default)]
    pub resources: Resources,
    /// Where it can run.
    #[serde(default)]
    pub compatibility: Compatibility,
    /// What it can do, in an application's own words.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// Its exported state, for live updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateSpec>,
    /// How it wants to be replaced.
    #[serde(default)]
    pub reload: Reload,
    /// Free text labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Search words (`tags` and `keywords`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Facts that a repository adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageFacts>,
    /// A free map, kept as written.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

/// A plugin's part in an application.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PluginType {
    /// The default.
    #[default]
    Plugin,
    /// Offers a service to others.
    Service,
    /// Shows something.
    Renderer,
    /// Turns something into something else.
    Processor,
}

/// What to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Path of the code, relative to the plugin's folder and inside it; of a process that names an executable instead,
    /// that.
    pub main: String,
    /// What runs it.
    pub runtime: RuntimeKind,
    /// Which engine of the runtime (`node`, `deno`, `bun`); `None` means the runtime's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Arguments of a process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Environment of a process; nothing else reaches it but path, locale and time zone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Working folder of a process, relative to the plugin's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workdir: Option<String>,
    /// How a process is started and reached.
    #[serde(default, skip_serializing_if = "ProcessSpec::is_empty")]
    pub process: ProcessSpec,
    /// Where a remote plugin's service is.
    #[serde(default, skip_serializing_if = "RemoteSpec::is_empty")]
    pub remote: RemoteSpec,
}

/// A kind of file that a plugin handles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileType {
    /// With its leading dot, lower case: `.mp4`.
    pub extension: String,
    /// Media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The highest wins.
    #[serde(default)]
    pub priority: i32,
    /// The action that gets the file; `None` means the plugin's only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

/// An interface with a version range: `name@range`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InterfaceRef {
    /// The interface's name.
    pub name: String,
    /// Which versions; `None` means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<VersionRange>,
}

/// Another plugin that this one needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dependency {
    /// Its id; `core` means the host.
    #[serde(alias = "name")]
    pub id: PluginId,
    /// Acceptable versions.
    #[serde(default = "VersionRange::any")]
    pub version: VersionRange,
    /// May be missing.
    #[serde(default)]
    pub optional: bool,
    /// Which list it stood in.
    #[serde(default)]
    pub kind: DependencyKind,
}

/// The list a dependency stood in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DependencyKind {
    /// Needed to run.
    #[default]
    Run,
    /// Must be there, is not installed along.
    Peer,
    /// For the plugin's author only.
    Dev,
}

/// What the machine must have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Memory that the machine must have, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_memory_mb: Option<u64>,
    /// The plugin's memory limit, in MiB; also stands in [`Limits::memory`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_memory_mb: Option<u64>,
    /// Needs a graphics processor.
    pub requires_gpu: bool,
}

/// Where a plugin can run. Empty lists mean anywhere.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Compatibility {
    /// Contract versions (`core_version`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub core_version: Option<VersionRange>,
    /// Oldest contract version (`min_version`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_version: Option<Version>,
    /// Newest contract version (`max_version`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_version: Option<Version>,
    /// Operating systems (`platforms`, `os`, `supported_os`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// Processors (`architectures`, `cpu`, `supported_arch`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub architectures: Vec<String>,
    /// Capabilities that the host must have (`compatibility.capabilities`), in an embedder's own words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Engines with their ranges (`engines`); `midplane` means the contract.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub engines: Vec<Engine>,
    /// What to load instead where this cannot run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<String>,
}

/// One line of `engines`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Engine {
    /// Its name.
    pub name: String,
    /// Which versions.
    pub range: VersionRange,
}

/// A plugin's exported state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateSpec {
    /// Version of the state's layout.
    pub schema: String,
}

/// How a plugin wants to be replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reload {
    /// The next version beside the running one.
    #[default]
    Hot,
    /// Stop, then start.
    Restart,
    /// Only with the host.
    Never,
}

/// Facts that a repository adds to a manifest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PackageFacts {
    /// When it was published, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_time: Option<String>,
    /// Checksum of the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Signature of the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Where the archive is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_url: Option<String>,
    /// Size of the archive in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}
