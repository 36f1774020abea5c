//! Holds the shape of the repository, and proves that the checks would see what they are there to see.

mod arrows;
mod lints;
mod tally;
