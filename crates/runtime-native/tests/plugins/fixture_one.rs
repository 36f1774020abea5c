//! The Rust plugin that the tests load.

const ANSWER: &str = "one";

include!("fixture.rs");
