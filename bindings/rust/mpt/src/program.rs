//! Captured steps.

use crate::error::{check, text};
use crate::handle::handle;
use crate::{sys, Element, Error, Result, Status, Tensor};

handle! {
    /// A captured step; see [`Context::capture`](crate::Context::capture).
    Program, mpt_program, mpt_program_retain, mpt_program_release
}
crate::handle::plain_debug!(Program);

/// Bytes of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgramMemory {
    /// Temporaries and workspaces.
    pub arena: usize,
    /// The outputs' own storage.
    pub outputs: usize,
}

impl Program {
    /// Copies the next run's data into a contiguous tensor from outside that the program reads. Not inside a capture.
    pub fn feed<T: Element>(&self, input: &Tensor, data: &[T]) -> Result<()> {
        if input.dtype() != T::DTYPE {
            return Err(Error::new(Status::DType, format!("the input's elements are {}, the data's {}", input.dtype(), T::DTYPE)));
        }
        // SAFETY: data has the bytes that are told.
        check(unsafe { sys::mpt_program_feed(self.raw(), input.raw(), data.as_ptr().cast(), std::mem::size_of_val(data)) })
    }

    /// Runs the program once: no allocation and no synchronisation after the first run. Not inside a capture.
    pub fn run(&self) -> Result<()> {
        // SAFETY: the program is alive.
        check(unsafe { sys::mpt_program_run(self.raw()) })
    }

    /// Bytes of the program.
    pub fn memory(&self) -> Result<ProgramMemory> {
        let mut m = ProgramMemory::default();
        // SAFETY: the program is alive.
        check(unsafe { sys::mpt_program_memory(self.raw(), &mut m.arena, &mut m.outputs) })?;
        Ok(m)
    }

    /// The plan as text: a line per step.
    pub fn dump(&self) -> Result<String> {
        // SAFETY: the buffer has the size that is told.
        text(|buffer, n, needed| unsafe { sys::mpt_program_dump(self.raw(), buffer, n, needed) })
    }
}
