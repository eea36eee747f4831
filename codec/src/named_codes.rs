//! Enumerations of what has a number on the wire and a name in JSON.

/// An enumeration with number and name of each variant, and the ways back from both.
macro_rules! named_codes {
    ($(#[$doc:meta])* $name:ident: $repr:ty { $($variant:ident = $code:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "` (", stringify!($code), ").")] $variant,)*
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// Number on the wire.
            #[must_use]
            pub const fn code(self) -> $repr {
                match self { $($name::$variant => $code,)* }
            }

            /// Name in JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }

            /// The one with this number.
            #[must_use]
            pub fn from_code(code: $repr) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.code() == code)
            }

            /// The one with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name() == name)
            }
        }
    };
}

pub(crate) use named_codes;
