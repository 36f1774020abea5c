//! Real libraries, compiled by the tests, driven through the kernel's seam.

mod calls;
mod cycles;
mod headers;
mod hostile;
mod refusals;
mod reload;
mod rust;
mod workshop;
