//! Which border and which rules this library has.

/// Version of the border. A library with another number has other functions or other types: do not call it.
pub const XE_ABI_VERSION: u32 = 1;

/// Version of the rules. Nodes of one network need the same number: another one can give another code for the same
/// bytes.
pub const XE_RULES_VERSION: u32 = 1;
// A number of its own, since the header takes it from here.
const _: () = assert!(XE_RULES_VERSION == amendment::RULES_VERSION);

/// Version of the library's border, to be compared with XE_ABI_VERSION of the header. Never fails. Constant time.
#[unsafe(no_mangle)]
pub extern "C" fn xe_abi_version() -> u32 {
    XE_ABI_VERSION
}

/// Version of the library's rules, to be compared with XE_RULES_VERSION of the header. Never fails. Constant time.
#[unsafe(no_mangle)]
pub extern "C" fn xe_rules_version() -> u32 {
    XE_RULES_VERSION
}
