//! The Rust plugin that the tests reload: the same with another answer.

const ANSWER: &str = "two";

include!("fixture.rs");
