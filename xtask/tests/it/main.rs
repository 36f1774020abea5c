//! Holds the shape of the repository, and proves that the checks would see what they are there to see.

#![expect(clippy::expect_used, reason = "in a test a panic is the report")]

mod arrows;
mod builds;
mod cells;
mod documents;
mod lints;
mod tally;
