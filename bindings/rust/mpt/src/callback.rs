//! The way from C into closures of the user and back: no panic goes through C, and C is never entered where it is not ready for it.
// Older versions of clippy take the thread-local constants below for constants.
#![allow(clippy::declare_interior_mutable_const)]

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::{sys, Error, Result, Status};

/// What a callback of ours ended with, on its way through C to the call that ran it.
pub(crate) enum Pending {
    Error(Error),
    Panic(Box<dyn Any + Send>),
}

thread_local! {
    static PENDING: RefCell<Option<Pending>> = const { RefCell::new(None) };
    /// How many callbacks run on this thread in the middle of a call that must not be joined by another.
    static CLOSED: Cell<u32> = const { Cell::new(0) };
    static ANY_LATER: Cell<bool> = const { Cell::new(false) };
    static LATER: RefCell<Vec<Box<dyn FnOnce()>>> = const { RefCell::new(Vec::new()) };
}

/// Runs what may panic where nothing may come through. The payload of a panic can panic again where it is dropped; then the second one stays.
pub(crate) fn contained<T>(f: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(value) => Some(value),
        Err(payload) => {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(payload))).map_err(std::mem::forget);
            None
        }
    }
}

/// Runs a callback of the user: an error or a panic waits until the C call that ran it has come back.
pub(crate) fn callback(f: impl FnOnce() -> Result<()>) -> sys::mpt_status {
    let (pending, status) = match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(())) => return sys::mpt_status::MPT_OK,
        Ok(Err(error)) => {
            let status = error.status();
            (Pending::Error(error), status)
        }
        Err(payload) => (Pending::Panic(payload), Status::Internal),
    };
    // While a thread ends there is nowhere to keep it; the status says enough then.
    let mut pending = Some(pending);
    let _ = PENDING.try_with(|p| std::mem::swap(&mut *p.borrow_mut(), &mut pending));
    std::mem::forget(pending);
    match status.raw() {
        sys::mpt_status::MPT_OK => sys::mpt_status::MPT_ERROR_INTERNAL,
        raw => raw,
    }
}

/// What the last callback failed with.
pub(crate) fn take_pending() -> Option<Pending> {
    PENDING.try_with(|p| p.borrow_mut().take()).unwrap_or(None)
}

/// While it is there, this thread calls nothing of mpt. C's own state is in the middle of something, and slices of Rust lie on tensors;
/// a closure that can be sent has no handles, but it can reach those of a `thread_local!`.
pub(crate) struct Closed(());

impl Closed {
    pub(crate) fn new() -> Closed {
        CLOSED.with(|n| n.set(n.get() + 1));
        Closed(())
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        CLOSED.with(|n| n.set(n.get() - 1));
    }
}

#[inline]
pub(crate) fn is_closed() -> bool {
    CLOSED.with(|n| n.get() != 0)
}

/// Every handle is looked at through this on its way to C.
#[inline]
pub(crate) fn need_open() {
    if is_closed() {
        closed();
    }
}

#[cold]
fn closed() {
    panic!("a custom op, an allocator or a hook of a context must not call mpt");
}

/// Does it when C is not running any more: what the user's closures hold is not dropped in the middle of a call.
pub(crate) fn later(f: Box<dyn FnOnce()>) {
    let mut f = Some(f);
    let _ = LATER.try_with(|list| list.borrow_mut().extend(f.take()));
    ANY_LATER.with(|any| any.set(true));
    std::mem::forget(f); // a thread that ends and has no list any more
}

/// C has come back.
#[inline]
pub(crate) fn returned() {
    if ANY_LATER.with(|any| any.get()) && !is_closed() {
        do_what_waits();
    }
}

#[cold]
fn do_what_waits() {
    ANY_LATER.with(|any| any.set(false));
    while let Some(f) = LATER.try_with(|list| list.borrow_mut().pop()).unwrap_or(None) {
        contained(f);
    }
}
