//! The content of events.

use std::sync::Arc;

use serde_json::Value;

/// The content of an event. Shared, never copied per subscriber.
#[derive(Debug, Clone)]
pub enum Data {
    /// Nothing.
    Nothing,
    /// Bytes as they came; JSON unless the content type says otherwise.
    Bytes(Arc<[u8]>),
    /// A value. Its size is counted when it is published, so bytes are cheaper.
    Json(Arc<Value>),
}

impl Data {
    /// Its length as JSON or bytes.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Bytes(bytes) => bytes.len(),
            Self::Json(value) => {
                let mut count = Count(0);
                // Counting cannot fail.
                let _ = serde_json::to_writer(&mut count, value);
                count.0
            }
        }
    }

    /// Whether it says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::Json(_) => false,
        }
    }
}

struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl From<Vec<u8>> for Data {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<&[u8]> for Data {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<Arc<[u8]>> for Data {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Value> for Data {
    fn from(value: Value) -> Self {
        Self::Json(Arc::new(value))
    }
}

/// Bytes as a value: text where they are no JSON, numbers where they are no text.
pub(super) fn value(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(bytes).unwrap_or_else(|_| match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => bytes.iter().copied().map(Value::from).collect(),
    })
}
