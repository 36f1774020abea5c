//! Definitions from WIT, the interface language of WebAssembly components
//! (<https://component-model.bytecodealliance.org/design/wit.html>).

use midplane_contract::{ActionName, Error, Interface, InterfaceAction, Result};
use wit_parser::{Docs, Function, FunctionKind, PackageId, Resolve, SourceMap};

use super::definitions::unusable;

/// The interfaces of a package that have functions.
pub(super) fn interfaces(file: &str, text: &str) -> Result<Vec<Interface>> {
    let (resolve, package) = parse(file, text)?;
    let Some(package) = resolve.packages.get(package) else { return Ok(Vec::new()) };
    let name = &package.name;
    let Some(version) = &name.version else {
        return Err(unusable(file, &format!("the package `{name}` has no version"))
            .remedy(format!("write `package {name}@1.0.0;`")));
    };
    let mut defined = Vec::new();
    for (interface, id) in &package.interfaces {
        let Some(found) = resolve.interfaces.get(*id).filter(|found| !found.functions.is_empty()) else { continue };
        let actions = found.functions.values().map(|function| action(file, function));
        defined.push(Interface {
            name: format!("{}:{}/{interface}", name.namespace, name.name),
            version: version.clone(),
            description: first_line(&found.docs),
            actions: actions.collect::<Result<_>>()?,
            capabilities: 0,
        });
    }
    if defined.is_empty() {
        return Err(unusable(file, "there is no interface with functions in it").remedy("write `interface name { … }`"));
    }
    Ok(defined)
}

fn parse(file: &str, text: &str) -> Result<(Resolve, PackageId)> {
    let broken = |why: String| {
        unusable(file, why.trim()).remedy("correct it; everything that it uses has to stand in the same file")
    };
    let mut sources = SourceMap::default();
    sources.push_str(file, text);
    let group = sources.parse().map_err(|(sources, error)| broken(error.highlight(&sources)))?;
    let mut resolve = Resolve::default();
    let mut sources = SourceMap::default();
    sources.push_str(file, text);
    let pushed = resolve.push_group(group);
    pushed.map(|package| (resolve, package)).map_err(|error| broken(error.highlight(&sources)))
}

fn action(file: &str, function: &Function) -> Result<InterfaceAction> {
    let refuse = |why: &str| -> Error {
        unusable(file, &format!("`{}` {why}", function.name)).remedy("let it be a function of the interface itself")
    };
    if !matches!(function.kind, FunctionKind::Freestanding | FunctionKind::AsyncFreestanding) {
        return Err(refuse("belongs to a resource, and a resource does not leave its plugin"));
    }
    let name = function.name.replace('-', "_");
    Ok(InterfaceAction {
        name: ActionName::new(name).map_err(|error| refuse(&error.to_string()))?,
        description: first_line(&function.docs),
        input: None,
        output: None,
        optional: false,
        idempotent: false,
        ask: None,
    })
}

/// The first line of what stands above it.
fn first_line(docs: &Docs) -> String {
    let lines = docs.contents.as_deref().unwrap_or_default();
    lines.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}
