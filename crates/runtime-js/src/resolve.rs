//! Which file an `import` means: one inside the plugin's folder, or the SDK.

use std::path::{Component, Path, PathBuf};

use midplane_contract::{Code, Error, Result};

/// What `import … from "midplane"` gives, and the SDK's parts behind it. No file of a plugin can have such a name.
pub(crate) const SDK: &str = "midplane:";

/// Endings that may be left out, in this order.
const ENDINGS: [&str; 4] = ["js", "mjs", "ts", "mts"];

/// The module that `specifier` means in the module `base`: a path below `folder` with `/`, or a name in the SDK.
///
/// # Errors
/// `permission_denied` for what lies outside of the folder, `not_supported` for packages, built-in modules and
/// addresses, `not_a_plugin` for what is not there.
pub(crate) fn resolve(folder: &Path, base: &str, specifier: &str) -> Result<String> {
    if specifier == "midplane" {
        return Ok(format!("{SDK}index.js"));
    }
    if let Some(inner) = base.strip_prefix(SDK) {
        let name = joined(Path::new(inner).parent().unwrap_or(Path::new("")), specifier);
        return name.map(|name| format!("{SDK}{name}")).ok_or_else(|| outside(base, specifier));
    }
    let is_relative = ["./", "../"].iter().any(|start| specifier.starts_with(start));
    if !is_relative && specifier != "." && specifier != ".." {
        return Err(foreign(base, specifier));
    }
    let parent = Path::new(base).parent().unwrap_or(Path::new(""));
    let name = joined(parent, specifier).ok_or_else(|| outside(base, specifier))?;
    let (name, real) = existing(folder, &name).ok_or_else(|| missing(folder, base, specifier, &name))?;
    if !real.starts_with(folder) {
        return Err(outside(base, specifier).remedy("put the file itself into the plugin's folder, not a link to it"));
    }
    // Two names of one file are one module.
    let inside = real.strip_prefix(folder).map(|inside| inside.to_string_lossy().replace('\\', "/"));
    Ok(inside.unwrap_or(name))
}

/// The path from the plugin's folder; `None` when it leaves it.
fn joined(parent: &Path, specifier: &str) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for component in parent.components().chain(Path::new(specifier).components()) {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?.to_owned()),
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// The file of a name, with the ending that it left out, or TypeScript's where JavaScript's is named.
fn existing(folder: &Path, name: &str) -> Option<(String, PathBuf)> {
    let stem = |ending: &str, other: &str| name.strip_suffix(ending).map(|stem| format!("{stem}{other}"));
    let candidates = [Some(name.to_owned()), stem(".js", ".ts"), stem(".mjs", ".mts")];
    let added = ENDINGS.iter().map(|ending| Some(format!("{name}.{ending}")));
    let file = |candidate: String| {
        let real = folder.join(&candidate).canonicalize().ok()?;
        real.is_file().then_some((candidate, real))
    };
    candidates.into_iter().chain(added).flatten().find_map(file)
}

fn outside(base: &str, specifier: &str) -> Error {
    let message = format!("`import \"{specifier}\"` in {base} leads out of the plugin's folder");
    Error::new(Code::PermissionDenied, message)
        .remedy("a plugin imports its own files only; copy what it needs into its folder")
        .with("import", specifier)
        .with("module", base)
}

fn foreign(base: &str, specifier: &str) -> Error {
    if specifier.starts_with('/') || specifier.starts_with("file:") {
        return outside(base, specifier);
    }
    let what = if specifier.contains(':') { "modules of this kind are" } else { "packages are" };
    let message = format!("`import \"{specifier}\"` in {base}: {what} not available in the embedded engine");
    Error::new(Code::NotSupported, message)
        .remedy(
            "bundle it into the plugin, import files with \"./\", or run the plugin on Node: `entry: {engine: node}`",
        )
        .with("import", specifier)
        .with("module", base)
}

fn missing(folder: &Path, base: &str, specifier: &str, name: &str) -> Error {
    let message = format!("`import \"{specifier}\"` in {base}: there is no {name} in {}", folder.display());
    Error::new(Code::NotAPlugin, message)
        .remedy("correct the path, or add the file")
        .with("import", specifier)
        .with("module", base)
}

#[cfg(test)]
mod tests {
    use midplane_testkit::Scratch;

    use super::*;

    fn scratch() -> Scratch {
        let scratch = Scratch::new("js-resolve").unwrap();
        let inside = scratch.path().join("plugin/lib");
        std::fs::create_dir_all(&inside).unwrap();
        std::fs::write(scratch.path().join("secret.js"), "").unwrap();
        for file in ["main.js", "lib/one.ts", "lib/two.mjs"] {
            std::fs::write(scratch.path().join("plugin").join(file), "").unwrap();
        }
        scratch
    }

    #[test]
    fn files_of_the_folder_are_found_with_and_without_their_endings() {
        let scratch = scratch();
        let find = |base: &str, name: &str| resolve(&scratch.path().join("plugin"), base, name).unwrap();
        assert_eq!(find("main.js", "./lib/one"), "lib/one.ts");
        assert_eq!(find("main.js", "./lib/one.js"), "lib/one.ts");
        assert_eq!(find("lib/one.ts", "./two.mjs"), "lib/two.mjs");
        assert_eq!(find("lib/one.ts", "../main.js"), "main.js");
        assert_eq!(find("main.js", "midplane"), "midplane:index.js");
        assert_eq!(find("midplane:index.js", "./src/error.js"), "midplane:src/error.js");
    }

    #[test]
    fn whatever_leads_out_is_denied() {
        let scratch = scratch();
        let code = |base: &str, name: &str| resolve(&scratch.path().join("plugin"), base, name).unwrap_err().code();
        for name in ["../secret.js", "../../x", "./lib/../../secret.js", "/etc/passwd", "file:///etc/passwd"] {
            assert_eq!(code("main.js", name), Code::PermissionDenied, "{name}");
        }
        for name in ["lodash", "node:fs", "https://example.org/x.js", "midplane:src/error.js"] {
            assert_eq!(code("main.js", name), Code::NotSupported, "{name}");
        }
        assert_eq!(code("main.js", "./nothing.js"), Code::NotAPlugin);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_denied() {
        let scratch = scratch();
        let folder = scratch.path().join("plugin");
        std::os::unix::fs::symlink(scratch.path().join("secret.js"), folder.join("link.js")).unwrap();
        assert_eq!(resolve(&folder, "main.js", "./link.js").unwrap_err().code(), Code::PermissionDenied);
    }
}
