//! Errors: a status and the message of the library.

use std::ffi::CStr;
use std::fmt;
use std::ptr::NonNull;

use crate::callback::{returned, take_pending, Pending};
use crate::{sys, Status};

/// What a call that failed came to: its status and a message that names the argument, the value and the way out.
///
/// ```
/// let ctx = mpt::Context::new()?;
/// let a = mpt::Tensor::zeros(&ctx, mpt::DType::F32, [2, 3])?;
/// let b = mpt::Tensor::zeros(&ctx, mpt::DType::F32, [4])?;
/// let error = a.add(&b).unwrap_err();
/// assert_eq!(error.status(), mpt::Status::Shape);
/// assert!(error.message().contains("mpt_add"));
/// # Ok::<(), mpt::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    status: Status,
    message: String,
}

/// What fallible functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of your own, for callbacks and closures that return this type.
    pub fn new(status: Status, message: impl Into<String>) -> Error {
        Error { status, message: message.into() }
    }

    /// What kind of error it is.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The message of the library.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.message)
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        Error::new(Status::Io, error.to_string())
    }
}

pub(crate) fn text_of(text: *const std::os::raw::c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the library's strings end with a zero and outlive the copy made here.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

#[cold]
fn failed(status: sys::mpt_status) -> Error {
    let error = match take_pending() {
        Some(Pending::Panic(payload)) => std::panic::resume_unwind(payload),
        Some(Pending::Error(error)) => error,
        // SAFETY: no arguments.
        None => Error::new(Status::from_raw(status), text_of(unsafe { sys::mpt_last_error() })),
    };
    returned();
    error
}

/// The status of a call as a result.
#[inline]
pub(crate) fn check(status: sys::mpt_status) -> Result<()> {
    if status == sys::mpt_status::MPT_OK {
        returned();
        Ok(())
    } else {
        Err(failed(status))
    }
}

/// Calls a function that gives a handle.
#[inline]
pub(crate) fn make<T>(call: impl FnOnce(*mut *mut T) -> sys::mpt_status) -> Result<NonNull<T>> {
    let mut out = std::ptr::null_mut();
    check(call(&mut out))?;
    NonNull::new(out).ok_or_else(|| Error::new(Status::Internal, "the library gave no handle"))
}

/// Calls a function that writes a value.
#[inline]
pub(crate) fn get<T: Default>(call: impl FnOnce(*mut T) -> sys::mpt_status) -> Result<T> {
    let mut out = T::default();
    check(call(&mut out))?;
    Ok(out)
}

/// Calls a function that writes a text of any length.
pub(crate) fn text(call: impl Fn(*mut std::os::raw::c_char, usize, *mut usize) -> sys::mpt_status) -> Result<String> {
    let mut needed = 0;
    check(call(std::ptr::null_mut(), 0, &mut needed))?;
    let mut bytes = vec![0u8; needed];
    check(call(bytes.as_mut_ptr().cast(), bytes.len(), &mut needed))?;
    bytes.truncate(bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len()));
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A string for C.
pub(crate) fn c_text(text: &str) -> Result<std::ffi::CString> {
    std::ffi::CString::new(text).map_err(|_| Error::new(Status::Argument, format!("the text {:?} has a zero byte inside", text)))
}

/// The length of a list for C; one that does not fit becomes one that the library refuses.
pub(crate) fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(-1)
}
