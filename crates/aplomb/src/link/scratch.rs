//! Buffers that the sessions of one thread share, so that an idle session has none of its own.

use std::cell::RefCell;

use crate::limits::{READ_SCRATCH_BYTES, SCRATCH_KEPT_BYTES_MAX};

/// Lends the thread's buffer for one read.
pub(super) fn with_read_buffer<T>(read: impl FnOnce(&mut [u8]) -> T) -> T {
    READ.with_borrow_mut(|buffer| {
        buffer.resize(READ_SCRATCH_BYTES, 0);
        read(buffer)
    })
}

/// Takes the thread's empty buffer for a batch of frames; give it back with [`give_back`].
pub(super) fn take_write_buffer() -> Vec<u8> {
    WRITE.take()
}

/// Gives the buffer back, unless it has grown far beyond a usual batch.
pub(super) fn give_back(mut buffer: Vec<u8>) {
    if buffer.capacity() <= SCRATCH_KEPT_BYTES_MAX {
        buffer.clear();
        WRITE.set(buffer);
    }
}

thread_local! {
    static READ: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static WRITE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}
