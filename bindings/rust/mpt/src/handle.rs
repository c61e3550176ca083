//! What all handles have in common: a reference that C counts, and the context that they keep alive.

use std::rc::Rc;

use crate::context::Shared;

/// A context and the closures that it calls, which live as long as any handle of it.
pub(crate) type ContextRef = Rc<Shared>;

macro_rules! handle {
    ($(#[$meta:meta])* $name:ident, $raw:ident, $retain:ident, $release:ident) => {
        $(#[$meta])*
        ///
        /// A clone is another handle of the same thing. The last one releases it, whatever the order.
        pub struct $name {
            // Dropped in this order: the handle's reference first (in drop), its context's last.
            raw: std::ptr::NonNull<crate::sys::$raw>,
            ctx: crate::handle::ContextRef,
        }

        impl $name {
            /// # Safety
            /// raw is an owned reference of a living object of ctx.
            #[inline]
            pub(crate) unsafe fn from_raw(raw: std::ptr::NonNull<crate::sys::$raw>, ctx: &crate::handle::ContextRef) -> $name {
                $name { raw, ctx: ctx.clone() }
            }

            #[inline]
            pub(crate) fn raw(&self) -> *mut crate::sys::$raw {
                crate::callback::need_open();
                self.raw.as_ptr()
            }

            /// The context that it was made in.
            pub fn context(&self) -> crate::Context {
                crate::Context::from_ref(&self.ctx)
            }
        }

        impl crate::sending::Handles for $name {
            fn visit(&self, to: &mut crate::sending::Contexts) {
                to.add(&self.ctx);
            }
        }

        impl Clone for $name {
            fn clone(&self) -> $name {
                // SAFETY: the handle is alive as long as self is.
                unsafe { crate::sys::$retain(self.raw()) };
                $name { raw: self.raw, ctx: self.ctx.clone() }
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                let raw = self.raw;
                // SAFETY: this is the reference that from_raw or clone took.
                let release = move || unsafe { crate::sys::$release(raw.as_ptr()) };
                if crate::callback::is_closed() {
                    let ctx = self.ctx.clone();
                    crate::callback::later(Box::new(move || {
                        release();
                        drop(ctx);
                    }));
                } else {
                    release();
                    crate::callback::returned();
                }
            }
        }
    };
}

macro_rules! plain_debug {
    ($($name:ident),*) => { $(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )* };
}
pub(crate) use handle;
pub(crate) use plain_debug;
