//! A context on its way to another thread.

use std::rc::Rc;

use crate::handle::ContextRef;
use crate::{Error, Result, Status};

/// The contexts of handles: each with the number of handles that were seen.
#[doc(hidden)]
#[derive(Default)]
pub struct Contexts(Vec<(ContextRef, usize)>);

impl Contexts {
    pub(crate) fn add(&mut self, ctx: &ContextRef) {
        match self.0.iter_mut().find(|c| Rc::ptr_eq(&c.0, ctx)) {
            Some(c) => c.1 += 1,
            None => self.0.push((ctx.clone(), 1)),
        }
    }
}

/// Handles, and lists and tuples of them: what a [`Sending`] can hold.
pub trait Handles: sealed::Sealed {
    #[doc(hidden)]
    fn visit(&self, to: &mut Contexts);
}

mod sealed {
    use crate::*;

    pub trait Sealed {}
    macro_rules! sealed {
        ($($name:ident),*) => { $(impl Sealed for $name {})* };
    }
    sealed!(Context, Tensor, Layer, Policy, Scaler, Optimizer, Average, Program, State, String);
    impl<T: super::Handles> Sealed for Vec<T> {}
    impl<T: super::Handles> Sealed for Option<T> {}
    impl<T: super::Handles, const N: usize> Sealed for [T; N] {}
}

impl Handles for String {
    fn visit(&self, _: &mut Contexts) {}
}
impl<T: Handles> Handles for Vec<T> {
    fn visit(&self, to: &mut Contexts) {
        self.iter().for_each(|t| t.visit(to));
    }
}
impl<T: Handles> Handles for Option<T> {
    fn visit(&self, to: &mut Contexts) {
        self.iter().for_each(|t| t.visit(to));
    }
}
impl<T: Handles, const N: usize> Handles for [T; N] {
    fn visit(&self, to: &mut Contexts) {
        self.iter().for_each(|t| t.visit(to));
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Handles),*> sealed::Sealed for ($($name,)*) {}
        impl<$($name: Handles),*> Handles for ($($name,)*) {
            #[allow(non_snake_case)]
            fn visit(&self, to: &mut Contexts) {
                let ($($name,)*) = self;
                $($name.visit(to);)*
            }
        }
    };
}
tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);

/// Contexts with all their handles, which can be sent to another thread and unpacked there.
///
/// A single handle cannot: the others of its context would stay behind, and a context is used by one thread at a time. So packing
/// fails where a handle of the context is somewhere else, or where one of its custom layers has a closure, which need not be `Send`.
///
/// ```
/// use mpt::{Context, DType, LayerSpec, Linear, Sending, Tensor};
/// let ctx = Context::new()?;
/// let model = Linear::new(4, 2).build(&ctx)?;
/// let x = Tensor::ones(&ctx, DType::F32, [3, 4])?;
/// let packed = Sending::new((ctx, model, x))?;
/// let shape = std::thread::spawn(move || {
///     let (_ctx, model, x) = packed.unpack();
///     model.forward(&x).map(|y| y.shape())
/// });
/// assert_eq!(shape.join().unwrap()?, [3, 2]);
/// # Ok::<(), mpt::Error>(())
/// ```
pub struct Sending<T: Handles>(T);

// SAFETY: T is made of handles alone, and `new` has seen that it has every reference to their contexts: the counts of the Rc, the cells beside them and
// the objects of C are reached through it only. C lets one thread after the other use a context. Hooks and custom ops are Send + Sync, wrapped vectors of
// elements are Send, and there are no closures of custom layers.
unsafe impl<T: Handles> Send for Sending<T> {}

impl<T: Handles> Sending<T> {
    /// Packs handles; they are dropped where that fails.
    pub fn new(handles: T) -> Result<Sending<T>> {
        let mut contexts = Contexts::default();
        handles.visit(&mut contexts);
        for (ctx, here) in contexts.0 {
            if ctx.closures.get() > 0 {
                return Err(Error::new(Status::State, "the context has custom layers, whose closures belong to this thread: make them on the other one"));
            }
            let all = Rc::strong_count(&ctx) - 1;
            if here != all {
                return Err(Error::new(Status::State, format!("{} of the context's {} handles are not among those to send: pack or drop them", all - here, all)));
            }
        }
        Ok(Sending(handles))
    }

    /// The handles, which belong to this thread from now on.
    pub fn unpack(self) -> T {
        self.0
    }
}

impl<T: Handles> std::fmt::Debug for Sending<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sending").finish_non_exhaustive()
    }
}
