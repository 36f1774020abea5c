//! What every request says beside its message.

use std::time::{SystemTime, UNIX_EPOCH};

use midplane_kernel::Scope;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};

use crate::session::Session;

/// Longest `traceparent` and longest chain of callers that is passed on, in bytes.
const LONGEST: usize = 4096;

/// The metadata of one request. What cannot be written as such is left out.
pub(crate) fn metadata(session: &Session, method: &str, call: u64, scope: &Scope) -> MetadataMap {
    let mut metadata = session.metadata.clone();
    let mut put = |key: &'static str, value: &str| {
        if let Ok(value) = MetadataValue::<Ascii>::try_from(value)
            && value.len() <= LONGEST
        {
            metadata.insert(key, value);
        }
    };
    put("method", method);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    put("timestamp", &since.as_secs().to_string());
    put("call-id", &call.to_string());
    if let Some(trace) = &scope.trace {
        put("traceparent", trace);
    }
    if let Some(caller) = &scope.caller {
        let link = |link: &midplane_kernel::Caller| match &link.action {
            Some(action) => format!("{}/{action}", link.plugin),
            None => link.plugin.to_string(),
        };
        put("caller", &caller.chain().map(link).collect::<Vec<_>>().join(", "));
    }
    metadata
}
