//! Element types of tensors as types of Rust.

use crate::DType;

mod sealed {
    pub trait Sealed {}
}

/// A type that tensors can be read into and written from.
///
/// | Rust | mpt |
/// |---|---|
/// | `f64`, `f32`, [`F16`], [`Bf16`], [`F8E4M3`], [`F8E5M2`] | [`DType::F64`] and so on |
/// | `i8`, `i16`, `i32`, `i64`, `u8`, `bool` | [`DType::I8`] and so on |
pub trait Element: sealed::Sealed + Copy + 'static {
    /// The element type of tensors that it stands for.
    const DTYPE: DType;

    /// Makes every one of n elements a valid value of this type.
    ///
    /// # Safety
    /// The n elements from data can be read and written as bytes.
    #[doc(hidden)]
    unsafe fn normalize(data: *mut Self, n: usize) {
        let _ = (data, n);
    }
}

macro_rules! elements {
    ($($type:ty => $dtype:ident),* $(,)?) => { $(
        impl sealed::Sealed for $type {}
        impl Element for $type {
            const DTYPE: DType = DType::$dtype;
        }
    )* };
}
elements!(f64 => F64, f32 => F32, F16 => F16, Bf16 => Bf16, F8E4M3 => F8E4M3, F8E5M2 => F8E5M2,
          i8 => I8, i16 => I16, i32 => I32, i64 => I64, u8 => U8);

impl sealed::Sealed for bool {}
impl Element for bool {
    const DTYPE: DType = DType::Bool;
    unsafe fn normalize(data: *mut bool, n: usize) {
        // A bool is 0 or 1 in Rust; memory that nobody has written may hold anything.
        for i in 0..n {
            let byte = data.cast::<u8>().add(i);
            *byte = u8::from(*byte != 0);
        }
    }
}

/// An IEEE 754 binary16 number.
///
/// ```
/// assert_eq!(mpt::F16::from_f32(1.0 / 3.0).to_f32(), 0.33325195);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct F16(u16);

/// The upper half of an f32.
///
/// ```
/// assert_eq!(mpt::Bf16::from_f32(1.0 / 3.0).to_f32(), 0.33398438);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Bf16(u16);

/// Eight bits, largest value 448, no infinity.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct F8E4M3(u8);

/// Eight bits, largest value 57344.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct F8E5M2(u8);

/// The number with these bits, in a format with that many bits of exponent and fraction that has infinities.
fn decode(bits: u32, exponent_bits: u32, fraction_bits: u32) -> f32 {
    let bias = (1i32 << (exponent_bits - 1)) - 1;
    let top = (1u32 << exponent_bits) - 1;
    let sign = if bits >> (exponent_bits + fraction_bits) & 1 == 1 { -1.0 } else { 1.0 };
    let exponent = bits >> fraction_bits & top;
    let fraction = (bits & ((1 << fraction_bits) - 1)) as f32;
    let unit = 2f32.powi(-(fraction_bits as i32));
    sign * if exponent == 0 {
        fraction * unit * 2f32.powi(1 - bias)
    } else if exponent == top {
        if fraction == 0.0 {
            f32::INFINITY
        } else {
            f32::NAN
        }
    } else {
        (1.0 + fraction * unit) * 2f32.powi(exponent as i32 - bias)
    }
}

impl F16 {
    /// The nearest number, halves to even.
    pub fn from_f32(value: f32) -> F16 {
        let bits = value.to_bits();
        let sign = (bits >> 16 & 0x8000) as u16;
        let magnitude = bits & 0x7fff_ffff;
        let rounded = if magnitude > 0x7f80_0000 {
            0x7e00 // NaN
        } else if magnitude >= 0x477f_f000 {
            0x7c00 // 65520 and more: infinite
        } else if magnitude < 0x3880_0000 {
            // Below 2^-14: adding this lines the fraction up with that of a subnormal number, and rounds.
            ((f32::from_bits(magnitude) + 0.5).to_bits() - 0.5f32.to_bits()) as u16
        } else {
            let odd = magnitude >> 13 & 1;
            ((magnitude - (112 << 23) + 0xfff + odd) >> 13) as u16
        };
        F16(sign | rounded)
    }
    /// The number, exactly.
    pub fn to_f32(self) -> f32 {
        decode(self.0.into(), 5, 10)
    }
}

impl Bf16 {
    /// The nearest number, halves to even.
    pub fn from_f32(value: f32) -> Bf16 {
        let bits = value.to_bits();
        if value.is_nan() {
            return Bf16((bits >> 16) as u16 | 0x40);
        }
        Bf16(((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16)
    }
    /// The number, exactly.
    pub fn to_f32(self) -> f32 {
        f32::from_bits(u32::from(self.0) << 16)
    }
}

impl F8E4M3 {
    /// The number, exactly.
    pub fn to_f32(self) -> f32 {
        if self.0 & 0x7f == 0x7f {
            return f32::NAN;
        }
        // Without infinities the last exponent holds numbers too.
        match self.0 >> 3 & 15 {
            15 => (1.0 + f32::from(self.0 & 7) / 8.0) * if self.0 >> 7 == 1 { -256.0 } else { 256.0 },
            _ => decode(self.0.into(), 4, 3),
        }
    }
}

impl F8E5M2 {
    /// The number, exactly.
    pub fn to_f32(self) -> f32 {
        decode(self.0.into(), 5, 2)
    }
}

macro_rules! bits {
    ($($type:ident: $bits:ty),*) => { $(
        impl $type {
            /// The number with these bits.
            pub const fn from_bits(bits: $bits) -> $type {
                $type(bits)
            }
            /// The bits of the number.
            pub const fn to_bits(self) -> $bits {
                self.0
            }
        }
        impl From<$type> for f32 {
            fn from(value: $type) -> f32 {
                value.to_f32()
            }
        }
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.to_f32(), f)
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.to_f32(), f)
            }
        }
    )* };
}
bits!(F16: u16, Bf16: u16, F8E4M3: u8, F8E5M2: u8);
