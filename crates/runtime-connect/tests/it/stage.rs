//! A host with a kernel, and clients of several kinds.
