//! Where a plugin runs. Pure.

use midplane_contract::{Code, Error, Placement, Result, RuntimeKind, Trust};

/// Decides the placement: the operator's word, then the manifest's, then the contract's default. In-process native
/// code needs `trusted`; `untrusted` puts everything that could run in this process into a worker.
pub(crate) fn decide(
    runtime: RuntimeKind,
    trust: Trust,
    operator: Option<Placement>,
    manifest: Option<Placement>,
) -> Result<Placement> {
    let own = default_of(runtime);
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

fn default_of(runtime: RuntimeKind) -> Placement {
    match runtime {
        RuntimeKind::Wasm | RuntimeKind::Js => Placement::InProcess,
        RuntimeKind::Native | RuntimeKind::Python | RuntimeKind::Process | RuntimeKind::Script => Placement::Worker,
        RuntimeKind::Remote => Placement::Remote,
    }
}

fn refused(why: &str) -> Error {
    Error::new(Code::PermissionDenied, why)
        .remedy("set the plugin's trust (--trust ID=trusted), or its placement to `worker`")
        .with("permission", "placement.in-process")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(decide(runtime, Trust::Normal, None, None).unwrap(), expected, "{runtime}");
        }
    }

    #[test]
    fn in_process_native_code_needs_trust() {
        let wish = Some(Placement::InProcess);
        let refused = decide(RuntimeKind::Native, Trust::Normal, wish, None).unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        assert_eq!(decide(RuntimeKind::Native, Trust::Trusted, wish, None).unwrap(), Placement::InProcess);
        assert_eq!(decide(RuntimeKind::Native, Trust::Normal, None, wish).unwrap(), Placement::Worker);
    }

    #[test]
    fn the_untrusted_always_go_to_a_worker() {
        let untrusted = Trust::Untrusted;
        assert_eq!(decide(RuntimeKind::Wasm, untrusted, None, None).unwrap(), Placement::Worker);
        assert_eq!(decide(RuntimeKind::Js, untrusted, None, Some(Placement::InProcess)).unwrap(), Placement::Worker);
        assert!(decide(RuntimeKind::Wasm, untrusted, Some(Placement::InProcess), None).is_err());
    }
}
