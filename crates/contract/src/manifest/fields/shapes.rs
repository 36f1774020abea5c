//! Shapes and fields that manifests and settings share.

use crate::reading::rule::Rule;
use crate::reading::shape::Shape;

pub(crate) const FILLED: Shape = Shape::Text(Rule::Filled);
pub(crate) const TEXTS: Shape = Shape::List(&FILLED);
pub(crate) const COUNT: Shape = Shape::Whole(1, u32::MAX as u64);
pub(crate) const SIZE: Shape = Shape::Either(&[Shape::Whole(0, u64::MAX), Shape::Text(Rule::Size)]);
pub(crate) const DURATION: Shape = Shape::Text(Rule::Duration);
/// Of what nobody can do without: none at all would be read as no limit by some, and end every call for others.
pub(crate) const SOME_TIME: Shape = Shape::Text(Rule::SomeTime);
pub(crate) const SOME_SIZE: Shape = Shape::Either(&[Shape::Whole(1, u64::MAX), Shape::Text(Rule::SomeSize)]);
pub(crate) const MILLISECONDS: Shape = Shape::Whole(1, 366 * 86_400_000);

/// Limits that manifests and settings know, and after them those of settings alone.
macro_rules! with_limits {
    ($($field:expr,)*) => {
        &[
            may("memory", SOME_SIZE, "Memory of one instance, in bytes or with a unit"),
            may("cpu", Shape::Share(4096.0), "Processor share; 1 is one core"),
            may("disk_io", SIZE, "Disk transfer, bytes per second or with a unit"),
            may("network_io", SIZE, "Network transfer, bytes per second or with a unit"),
            may("call_deadline", SOME_TIME, "Longest call, with its unit: 30s"),
            may("call_deadline_ms", MILLISECONDS, "The same in milliseconds"),
            may("hook_deadline", SOME_TIME, "Longest hook, with its unit: 10s"),
            may("hook_deadline_ms", MILLISECONDS, "The same in milliseconds"),
            may("threads", COUNT, "Threads or tasks"),
            may("file_descriptors", COUNT, "Open files"),
            may("connections", COUNT, "Open connections"),
            may("queue", COUNT, "Calls waiting at once"),
            may("payload", SIZE, "Largest payload of a call or reply, in bytes or with a unit"),
            may("table_elements", COUNT, "Elements of a WebAssembly table"),
            $($field,)*
        ]
    };
}
pub(crate) use with_limits;
