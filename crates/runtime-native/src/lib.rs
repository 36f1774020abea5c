//! Native libraries as plugins: the host's side of the C ABI in `contract/midplane.h`.
//!
//! [`NativeRuntime`] serves native code in this process. A load goes through these rooms, in this order:
//!
//! 1. `image` reads the file and says what it is, without executing any of it;
//! 2. `copy` puts its bytes under a name of their own: the original path is never opened by the linker, since opening
//!    a path again gives the code that was there before;
//! 3. `library` opens the copy, and `mapped` compares what the linker really mapped with what was read;
//! 4. `table` checks the plugin's table, field by field;
//! 5. `code` asks for the plugin's info and actions, and makes `instance`s, which reach the kernel through `host`.
//!
//! Native code in this process has the host's powers: nothing here confines it, and a crash of it is a crash of the
//! process. Whoever needs limits places it in a worker.

mod abi;
mod code;
mod copy;
mod host;
mod image;
mod instance;
mod library;
mod mapped;
mod outcome;
mod runtime;
mod table;

pub use runtime::NativeRuntime;
