//! The fields of a remote plugin have to fit each other.

use super::at;
use crate::RuntimeKind;
use crate::manifest::document::Document;
use crate::manifest::words;
use crate::reading::fault::{FaultCode, Faults};

pub(super) fn agree(document: &Document<'_>, faults: &mut Faults) {
    let mut conflict = |path: &[&str], message: String, remedy: &str| {
        faults.push(at(document, path, FaultCode::Conflict, message, remedy));
    };
    if document.runtime_word().and_then(words::runtime) != Some(RuntimeKind::Remote) {
        for field in ["endpoints", "discovery", "tls", "connection"] {
            if document.part(&["entry", field]).is_some() {
                let message = format!("`{field}` belongs to a remote plugin, and `entry.runtime` is another");
                conflict(&["entry", field], message, "write `runtime: remote`, or leave the field out");
            }
        }
        return;
    }
    let tls = |field: &str| document.part(&["entry", "tls", field]).is_some();
    for (one, other) in [("cert", "key"), ("key", "cert")] {
        if tls(one) && !tls(other) {
            let message = format!("`tls.{one}` is of no use without `tls.{other}`");
            conflict(&["entry", "tls", one], message, "name both, or none");
        }
    }
    if document.part(&["entry", "main"]).is_some() && document.part(&["entry", "endpoints"]).is_some() {
        let message = "the service is named twice, by `entry.main` and by `entry.endpoints`".to_owned();
        conflict(&["entry", "main"], message, "keep `entry.endpoints`");
    }
}
