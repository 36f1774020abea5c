//! What a project is made of: one kit for each kind of project.

use super::sdk::{self, Files};

/// A kind of project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kit {
    /// A native library in Rust.
    Rust,
    /// WebAssembly in Rust, for a target that the compiler has.
    WasmRust(Target),
    /// WebAssembly in Go.
    WasmGo,
    /// A native library in C.
    C,
    /// A module for the embedded engine.
    Js,
    /// The same with types.
    Ts,
    /// A process on the Python interpreter.
    Python,
    /// A program.
    Go,
    /// A Bash script that speaks the text protocol.
    Shell,
}

/// What a Rust compiler makes WebAssembly for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// `wasm32-wasip2`: a component.
    Component,
    /// `wasm32-unknown-unknown`: a core module.
    Core,
}

impl Target {
    /// The better one first.
    pub(super) const ALL: [Self; 2] = [Self::Component, Self::Core];

    /// The compiler's name for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Component => "wasm32-wasip2",
            Self::Core => "wasm32-unknown-unknown",
        }
    }
}

/// A file of a template: where it goes, and its text with `{{words}}` in it.
pub(super) type Template = (&'static str, &'static str);

macro_rules! template {
    ($path:literal) => {
        include_str!(concat!("../../../templates/", $path))
    };
}

const RUST: &[Template] = &[
    ("Cargo.toml", template!("rust/package.toml")),
    ("Cargo.lock", template!("rust/package.lock")),
    ("src/lib.rs", template!("rust/lib.rs")),
    (".midplane/sdk/Cargo.toml", template!("rust/sdk.toml")),
];

const GO: &[Template] = &[("main.go", template!("go/main.go")), ("go.mod", template!("go/go.mod"))];

impl Kit {
    /// Every kind there is.
    #[cfg(test)]
    pub(super) const ALL: [Self; 10] = [
        Self::Rust,
        Self::WasmRust(Target::Component),
        Self::WasmRust(Target::Core),
        Self::WasmGo,
        Self::C,
        Self::Js,
        Self::Ts,
        Self::Python,
        Self::Go,
        Self::Shell,
    ];

    /// The language of the source, as people write it.
    pub(super) fn language(self) -> &'static str {
        match self {
            Self::Rust | Self::WasmRust(_) => "Rust",
            Self::C => "C",
            Self::Js => "JavaScript",
            Self::Ts => "TypeScript",
            Self::Python => "Python",
            Self::Go | Self::WasmGo => "Go",
            Self::Shell => "Bash",
        }
    }

    /// The file that is the plugin.
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::Rust | Self::WasmRust(_) => "src/lib.rs",
            Self::C => "plugin.c",
            Self::Js => "plugin.js",
            Self::Ts => "plugin.ts",
            Self::Python => "plugin.py",
            Self::Go | Self::WasmGo => "main.go",
            Self::Shell => "plugin.sh",
        }
    }

    /// `entry.runtime` of the manifest.
    pub(super) fn runtime(self) -> &'static str {
        match self {
            Self::Rust | Self::C => "native",
            Self::WasmRust(_) | Self::WasmGo => "wasm",
            Self::Js | Self::Ts => "js",
            Self::Python => "python",
            Self::Go => "process",
            Self::Shell => "script",
        }
    }

    /// `entry.main` of the manifest: what is run, in the project's folder.
    pub(super) fn main(self) -> String {
        match self {
            Self::Rust => format!("target/release/{}", library()),
            Self::WasmRust(target) => format!("target/{}/release/plugin.wasm", target.name()),
            Self::WasmGo => "plugin.wasm".to_owned(),
            Self::C => library(),
            Self::Go => "plugin".to_owned(),
            Self::Js | Self::Ts | Self::Python | Self::Shell => self.source().to_owned(),
        }
    }

    /// What makes `main`, typed in the project's folder; `None` where the source itself is run.
    pub(super) fn build(self) -> Option<String> {
        match self {
            Self::Rust => Some("cargo build --release".to_owned()),
            Self::WasmRust(target) => Some(format!("cargo build --release --target {}", target.name())),
            Self::WasmGo => Some("GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o plugin.wasm .".to_owned()),
            Self::C => Some(format!("cc -std=c99 -shared -fPIC -O2 -I .midplane/sdk -o {} plugin.c", library())),
            Self::Go => Some("go build -o plugin .".to_owned()),
            Self::Js | Self::Ts | Self::Python | Self::Shell => None,
        }
    }

    /// The files of its own.
    pub(super) fn templates(self) -> &'static [Template] {
        match self {
            Self::Rust | Self::WasmRust(_) => RUST,
            Self::Go | Self::WasmGo => GO,
            Self::C => &[("plugin.c", template!("c/plugin.c"))],
            Self::Js => &[("plugin.js", template!("js/plugin.js"))],
            Self::Ts => &[("plugin.ts", template!("ts/plugin.ts")), ("tsconfig.json", template!("ts/tsconfig.json"))],
            Self::Python => &[("plugin.py", template!("python/plugin.py"))],
            Self::Shell => &[("plugin.sh", template!("shell/plugin.sh"))],
        }
    }

    /// The SDK that goes into `.midplane/sdk`.
    pub(super) fn sdk(self) -> Files {
        match self {
            Self::Rust | Self::WasmRust(_) => sdk::RUST,
            Self::Go | Self::WasmGo => sdk::GO,
            Self::C => sdk::C,
            Self::Ts => sdk::TYPES,
            Self::Js | Self::Python | Self::Shell => &[],
        }
    }

    /// What version control leaves out.
    pub(super) fn ignored(self) -> String {
        match self {
            Self::Rust | Self::WasmRust(_) => "/target/\n".to_owned(),
            Self::C | Self::Go | Self::WasmGo => format!("/{}\n", self.main()),
            Self::Js | Self::Ts => "node_modules/\n".to_owned(),
            Self::Python => "__pycache__/\n.venv/\n".to_owned(),
            Self::Shell => "*.log\n".to_owned(),
        }
    }
}

/// What this system's linkers call a library named `plugin`.
fn library() -> String {
    format!("{}plugin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}
