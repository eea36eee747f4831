//! The caller's memory: the one place where pointers become values and values go out.
//!
//! Inputs are read before any output is written, and outputs are written through raw pointers alone, so an output may
//! overlap an input.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::code::{Code, XE_OK};
use crate::limits::XE_INPUT_BYTES_MAX;

/// Bytes of the caller, or of a handle. `data` may be null where `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct XeSlice {
    /// The first byte.
    pub data: *const u8,
    /// How many.
    pub len: usize,
}

impl XeSlice {
    /// No bytes.
    pub(crate) const EMPTY: XeSlice = XeSlice {
        data: std::ptr::null(),
        len: 0,
    };

    /// Bytes that a handle holds; good as long as the handle.
    pub(crate) fn of(bytes: &[u8]) -> XeSlice {
        XeSlice {
            data: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// The bytes.
    ///
    /// # Safety
    ///
    /// `data` points to `len` bytes that nobody writes while the result is used, unless it is null or `len` is more
    /// than an input may have.
    pub(crate) unsafe fn bytes<'a>(self) -> Result<&'a [u8], Code> {
        if self.len > XE_INPUT_BYTES_MAX {
            return Err(Code::TOO_LONG);
        }
        if self.data.is_null() {
            return if self.len == 0 { Ok(&[]) } else { Err(Code::NULL) };
        }
        // SAFETY: not null, and the caller of this function vouches for the rest; the length fits an isize.
        Ok(unsafe { std::slice::from_raw_parts(self.data, self.len) })
    }
}

/// A value that the caller hands over by its place.
///
/// # Safety
///
/// `at` points to a T that nobody writes while the result is used, unless it is null or not aligned.
pub(crate) unsafe fn shared<'a, T>(at: *const T) -> Result<&'a T, Code> {
    if at.is_null() {
        return Err(Code::NULL);
    }
    if !at.is_aligned() {
        return Err(Code::MISALIGNED);
    }
    // SAFETY: neither null nor misaligned, and the caller of this function vouches for the rest.
    Ok(unsafe { &*at })
}

/// A row of values of the caller, copied.
///
/// # Safety
///
/// `at` points to `count` values that nobody writes during the call, unless it is null, not aligned, or `count` is
/// more than `max`.
pub(crate) unsafe fn row<T: Copy>(at: *const T, count: usize, max: usize) -> Result<Vec<T>, Code> {
    if count > max {
        return Err(Code::TOO_LONG);
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    if at.is_null() {
        return Err(Code::NULL);
    }
    if !at.is_aligned() {
        return Err(Code::MISALIGNED);
    }
    // SAFETY: neither null nor misaligned, short, and the caller of this function vouches for the rest.
    Ok(unsafe { std::slice::from_raw_parts(at, count) }.to_vec())
}

/// A place of the caller's for a result. Where none is put in, it is set to what says "nothing".
pub(crate) struct Out<T> {
    at: *mut T,
    value: Option<T>,
}

impl<T> Out<T> {
    /// The place, which says `nothing` until something is put in.
    ///
    /// # Safety
    ///
    /// `at` may be written as long as the result lives, unless it is null or not aligned.
    pub(crate) unsafe fn new(at: *mut T, nothing: T) -> Result<Out<T>, Code> {
        if at.is_null() {
            return Err(Code::NULL);
        }
        if !at.is_aligned() {
            return Err(Code::MISALIGNED);
        }
        Ok(Out {
            at,
            value: Some(nothing),
        })
    }

    pub(crate) fn put(&mut self, value: T) {
        self.value = Some(value);
    }
}

impl<T> Out<*mut T> {
    /// The place of a handle.
    ///
    /// # Safety
    ///
    /// As for [`Out::new`].
    pub(crate) unsafe fn handle(at: *mut *mut T) -> Result<Out<*mut T>, Code> {
        // SAFETY: what this function asks for is what that one asks for.
        unsafe { Out::new(at, std::ptr::null_mut()) }
    }

    /// Gives a value away; `free` takes it back.
    pub(crate) fn give(&mut self, value: T) {
        self.put(Box::into_raw(Box::new(value)));
    }
}

impl<T> Drop for Out<T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            // SAFETY: `new` tested the place, and its caller vouched that it may be written as long as this lives.
            // What stood there is not dropped: it is the caller's.
            unsafe { self.at.write(value) };
        }
    }
}

/// Takes a handle back. Null is nothing.
///
/// # Safety
///
/// `at` came from [`Out::give`] with the same type, was not taken back before, and is used by nobody.
pub(crate) unsafe fn free<T>(at: *mut T) {
    if at.is_null() {
        return;
    }
    // What a value does as it goes is none of the caller's concern, whatever it is.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the caller of this function vouches that a Box made it, and that this is the last use.
        drop(unsafe { Box::from_raw(at) });
    }));
}

/// Runs the body of a function of the border. A panic ends here.
pub(crate) fn border(body: impl FnOnce() -> Result<(), Code>) -> i32 {
    // What a body leaves half done nobody sees: it changes nothing of the caller's before it has succeeded, and
    // handles are only read, but for a key that is set once it has proven.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => XE_OK,
        Ok(Err(code)) => code.0,
        Err(_) => Code::INTERNAL.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_at_the_border() {
        assert_eq!(
            border(|| std::panic::resume_unwind(Box::new("tried"))),
            crate::XE_INTERNAL
        );
        assert_eq!(border(|| Ok(())), XE_OK);
    }

    #[test]
    fn a_place_says_nothing_where_nothing_came() {
        let mut number = 7_u32;
        {
            // SAFETY: a local.
            let out = unsafe { Out::new(&raw mut number, 0) };
            drop(out);
        }
        assert_eq!(number, 0);
    }
}
