//! Every bound of the explanations, with its unit, its source and what lies beyond it. They refuse nothing.

/// Lines at the end of a body that are left out one by one, to tell whether somebody added them. Source:
/// footers of public lists have up to 12 lines. Beyond: not looked for.
pub(crate) const APPENDED_LINES_MAX: usize = 64;
/// Bytes of what a mail user is told to do; it has to fit into one line of an SMTP reply. Beyond: cut.
pub(crate) const ADVICE_BYTES_MAX: usize = 300;
/// Bytes of a name or line out of the mail within such a text. Beyond: cut.
pub(crate) const ADVICE_NAME_BYTES_MAX: usize = 64;
/// Digits of an issued amount that is shown without an exponent (as many as an instruction may have). Longer
/// ones keep Xahau's form.
pub const PLAIN_DIGITS_MAX: usize = 32;
