//! The one buffer of an instance that inputs are copied into.

use midplane_contract::{Code, Error};
use wasmtime::{Memory, Store, TypedFunc};

use crate::core::packed::slice_mut;
use crate::fault::Fault;
use crate::state::GuestState;

/// First size of the buffer; later ones are powers of two.
const SMALLEST: u32 = 4096;
const PAGE: u64 = 65_536;

/// Where inputs go in the guest's memory. Reused from call to call; replaced by a larger one when it is too small.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Input {
    at: u32,
    room: u32,
}

impl Input {
    /// Whether an input of this many bytes fits as it is.
    #[inline]
    pub(super) fn fits(self, len: usize) -> bool {
        len <= self.room as usize
    }

    /// Copies an input that fits into the buffer and says where it is.
    #[inline]
    pub(super) fn copy(
        self,
        memory: &Memory,
        store: &mut Store<GuestState>,
        input: &[u8],
    ) -> Result<(u32, u32), Fault> {
        #[expect(clippy::cast_possible_truncation, reason = "it fits into `room`, which is 32 bits")]
        let len = input.len() as u32;
        slice_mut(memory.data_mut(store), self.at, len, "its allocator").map_err(Fault::Broken)?.copy_from_slice(input);
        Ok((self.at, len))
    }

    /// Takes a larger buffer that the guest allocated at `at`.
    pub(super) fn take(&mut self, at: u32, room: u32, store: &Store<GuestState>) -> Result<(), Fault> {
        if at == 0 {
            return Err(Fault::Clean(no_room(room, store)));
        }
        *self = Self { at, room };
        Ok(())
    }

    /// Takes pages that are added to the memory of a guest without an allocator.
    pub(super) fn grow(&mut self, memory: &Memory, store: &mut Store<GuestState>, room: u32) -> Result<(), Fault> {
        let pages = u64::from(room).div_ceil(PAGE);
        let Ok(before) = memory.grow(&mut *store, pages) else { return Err(Fault::Clean(no_room(room, store))) };
        let at = u32::try_from(before * PAGE).map_err(|_| Fault::Clean(no_room(room, store)))?;
        *self = Self { at, room: u32::try_from(pages * PAGE).unwrap_or(room) };
        Ok(())
    }
}

/// The size of the buffer for an input of this many bytes.
pub(super) fn room_for(len: usize) -> Result<u32, Fault> {
    let room = u32::try_from(len).ok().and_then(|len| len.max(SMALLEST).checked_next_power_of_two());
    room.ok_or_else(|| {
        Fault::Clean(
            Error::new(Code::LimitExceeded, format!("an input of {len} bytes does not fit into WebAssembly memory"))
                .remedy("send less at once")
                .with("which", "payload"),
        )
    })
}

#[cold]
fn no_room(room: u32, store: &Store<GuestState>) -> Error {
    store.data().limiter.error().unwrap_or_else(|| {
        Error::new(Code::LimitExceeded, format!("the plugin has no room for an input of {room} bytes"))
            .remedy("send less at once, or let the module's memory grow")
            .with("which", "memory")
    })
}

/// The guest's allocator, where it has one.
pub(super) type Alloc = TypedFunc<u32, u32>;
