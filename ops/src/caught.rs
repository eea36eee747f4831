//! Panics of a library over a damaged file: caught, and told in words instead of a backtrace.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

static HOOK: Once = Once::new();

/// Runs `work`. A panic in it writes nothing to standard error and gives its message and place, in one line.
/// What `work` shares with others must bear a panic: be thrown away, or be replaced as a whole.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| match IS_CAUGHT.get() {
            true => LAST.set(told(panic)),
            false => before(panic),
        }));
    });
    let was_caught = IS_CAUGHT.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(was_caught);
    done.map_err(|_| LAST.take())
}

fn told(panic: &PanicHookInfo<'_>) -> String {
    let words = panic.payload_as_str().unwrap_or("no message").split_whitespace();
    let words = words.collect::<Vec<_>>().join(" ");
    let place = panic.location().map(|at| {
        let file = at.file().rsplit('/').next().unwrap_or_default();
        format!(" ({file}, line {})", at.line())
    });
    words + &place.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_in_one_line_with_its_place() {
        assert_eq!(caught(|| 7), Ok(7));
        let told = caught(|| panic!("page 9\nis damaged")).expect_err("a panic");
        assert!(
            told.contains("page 9 is damaged") && told.contains("caught.rs"),
            "{told}"
        );
        let inner = caught(|| caught(|| panic!("inside")).is_err());
        assert_eq!(inner, Ok(true));
    }
}
