//! The fields of a process have to fit each other.

use super::at;
use crate::manifest::document::Document;
use crate::reading::fault::{FaultCode, Faults};
use crate::reading::tree::Node;

pub(super) fn agree(document: &Document<'_>, faults: &mut Faults) {
    let mut conflict = |field: &str, message: String, remedy: &str| {
        let home = if document.part(&["entry", field]).is_some() { "entry" } else { "runtime" };
        faults.push(at(document, &[home, field], FaultCode::Conflict, message, remedy));
    };
    if document.entry("workdir").is_some() && document.entry("work_dir").is_some() {
        conflict("work_dir", "`workdir` and `work_dir` say the same thing".to_owned(), "keep one of them");
    }
    if document.entry("executable").is_some() && document.part(&["entry_point"]).is_some() {
        let message = "the code is named twice, by `executable` and by `entry_point`".to_owned();
        conflict("executable", message, "name the program, and give files to it in `args`");
    }
    if document.entry("executable").is_some() && document.part(&["entry", "main"]).is_some() {
        let message = "the code is named twice, by `executable` and by `main`".to_owned();
        conflict("executable", message, "name the program, and give files to it in `args`");
    }
    let text = |field: &str| document.entry(field).and_then(Node::text);
    if document.entry("network").is_some() {
        if text("protocol") == Some("stdio") {
            let message = "`protocol: stdio` and a `network` contradict each other".to_owned();
            conflict("protocol", message, "leave one of them out");
        }
        return;
    }
    for field in ["address", "timeout", "max_retries"] {
        if document.entry(field).is_some() {
            let message = format!("`{field}` says how the host connects, and there is no `network` to connect on");
            conflict(field, message, "write `network: unix` or `network: tcp`, or leave the field out");
        }
    }
}
