//! The C interface of mpt as it is: what `include/mpt.h` declares, written by bindgen. The crate `mpt` makes it safe.
//!
//! The header's comments say what every function does.
#![allow(rustdoc::broken_intra_doc_links, rustdoc::invalid_html_tags, rustdoc::bare_urls)]
#![allow(clippy::all)]

mod bindings;
pub use bindings::*;
