//! Where a plugin runs. Pure.

use midplane_contract::manifest::Entry;
use midplane_contract::{Code, Error, Placement, Result, RuntimeKind, Trust};

/// Decides the placement: the operator's word, then the manifest's, then the contract's default. In-process native
/// code needs `trusted`; `untrusted` puts everything that could run in this process into a worker. What an engine of its
/// own runs is in that engine's process.
pub(crate) fn decide(
    entry: &Entry,
    trust: Trust,
    operator: Option<Placement>,
    manifest: Option<Placement>,
) -> Result<Placement> {
    let runtime = entry.runtime;
    let own = default_of(entry);
    let wanted = match (operator, manifest) {
        (Some(operator), _) => operator,
        // A manifest cannot ask for more trust than it has: its wish is then only a wish.
        (None, Some(Placement::InProcess)) if trust == Trust::Untrusted => Placement::Worker,
        (None, Some(Placement::InProcess)) if runtime == RuntimeKind::Native && trust != Trust::Trusted => own,
        (None, Some(manifest)) => manifest,
        (None, None) if trust == Trust::Untrusted && own == Placement::InProcess => Placement::Worker,
        (None, None) => own,
    };
    if wanted != Placement::InProcess {
        return Ok(wanted);
    }
    if let Some(engine) = engine_of(entry) {
        return Err(Error::new(
            Code::NotSupported,
            format!("what runs on `{engine}` cannot run in the host's process"),
        )
        .remedy("leave the placement out, or entry.engine for the embedded engine"));
    }
    match (runtime, trust) {
        (_, Trust::Untrusted) => Err(refused("an untrusted plugin runs in a worker, never in the host's process")),
        (RuntimeKind::Native, Trust::Normal) => {
            Err(refused("native code in the host's process has all the host's powers, so it must be trusted"))
        }
        (RuntimeKind::Python | RuntimeKind::Process | RuntimeKind::Script | RuntimeKind::Remote, _) => {
            Err(Error::new(Code::NotSupported, format!("`{runtime}` plugins cannot run in the host's process"))
                .remedy(format!("leave the placement out; their place is `{own}`")))
        }
        (RuntimeKind::Native | RuntimeKind::Wasm | RuntimeKind::Js, Trust::Trusted)
        | (RuntimeKind::Wasm | RuntimeKind::Js, Trust::Normal) => Ok(wanted),
    }
}

fn default_of(entry: &Entry) -> Placement {
    match entry.runtime {
        RuntimeKind::Js if engine_of(entry).is_some() => Placement::Worker,
        RuntimeKind::Wasm | RuntimeKind::Js => Placement::InProcess,
        RuntimeKind::Native | RuntimeKind::Python | RuntimeKind::Process | RuntimeKind::Script => Placement::Worker,
        RuntimeKind::Remote => Placement::Remote,
    }
}

/// The engine that is a program of its own, where one is named.
fn engine_of(entry: &Entry) -> Option<&str> {
    entry.engine.as_deref().filter(|_| entry.runtime == RuntimeKind::Js)
}

fn refused(why: &str) -> Error {
    Error::new(Code::PermissionDenied, why)
        .remedy("set the plugin's trust (--trust ID=trusted), or its placement to `worker`")
        .with("permission", "placement.in-process")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(runtime: RuntimeKind) -> Entry {
        serde_json::from_value(json!({ "main": "main", "runtime": runtime })).unwrap()
    }

    fn decided(
        runtime: RuntimeKind,
        trust: Trust,
        operator: Option<Placement>,
        manifest: Option<Placement>,
    ) -> Result<Placement> {
        decide(&entry(runtime), trust, operator, manifest)
    }

    #[test]
    fn an_engine_that_is_a_program_runs_in_its_own_process() {
        let node = Entry { engine: Some("node".into()), ..entry(RuntimeKind::Js) };
        for trust in [Trust::Trusted, Trust::Normal, Trust::Untrusted] {
            assert_eq!(decide(&node, trust, None, None).unwrap(), Placement::Worker);
        }
        let refused = decide(&node, Trust::Trusted, Some(Placement::InProcess), None).unwrap_err();
        assert_eq!(refused.code(), Code::NotSupported);
        assert!(refused.record().message.contains("node"));
        let wasm = Entry { engine: Some("wasmtime".into()), ..entry(RuntimeKind::Wasm) };
        assert_eq!(decide(&wasm, Trust::Normal, None, None).unwrap(), Placement::InProcess);
    }

    #[test]
    fn defaults_follow_the_contract() {
        use RuntimeKind as R;
        for (runtime, expected) in [
            (R::Native, Placement::Worker),
            (R::Wasm, Placement::InProcess),
            (R::Js, Placement::InProcess),
            (R::Python, Placement::Worker),
            (R::Process, Placement::Worker),
            (R::Remote, Placement::Remote),
        ] {
            assert_eq!(decided(runtime, Trust::Normal, None, None).unwrap(), expected, "{runtime}");
        }
    }

    #[test]
    fn in_process_native_code_needs_trust() {
        let wish = Some(Placement::InProcess);
        let refused = decided(RuntimeKind::Native, Trust::Normal, wish, None).unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        assert_eq!(decided(RuntimeKind::Native, Trust::Trusted, wish, None).unwrap(), Placement::InProcess);
        assert_eq!(decided(RuntimeKind::Native, Trust::Normal, None, wish).unwrap(), Placement::Worker);
    }

    #[test]
    fn the_untrusted_always_go_to_a_worker() {
        let untrusted = Trust::Untrusted;
        assert_eq!(decided(RuntimeKind::Wasm, untrusted, None, None).unwrap(), Placement::Worker);
        assert_eq!(decided(RuntimeKind::Js, untrusted, None, Some(Placement::InProcess)).unwrap(), Placement::Worker);
        assert!(decided(RuntimeKind::Wasm, untrusted, Some(Placement::InProcess), None).is_err());
    }
}
