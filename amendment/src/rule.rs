//! The rules of docs/spec.md as a type: what a refusal, a step and a check name.

use std::fmt;

/// Version of the rules. It rises with every change by which two programs could disagree about a ledger.
pub const RULES_VERSION: u32 = 1;

macro_rules! rules {
    ($($name:ident = $text:literal,)+) => {
        /// A rule of docs/spec.md: a numbered one, or a section without numbers. In the order of the
        /// document.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = concat!("Rule ", $text, ".")] $name,)+
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Rule] = &[$(Rule::$name,)+];

            /// Its number, such as `4.5` or `11`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Rule::$name => $text,)+
                }
            }
        }
    };
}

rules! {
    R1 = "1",
    R2_1 = "2.1", R2_2 = "2.2", R2_3 = "2.3", R2_4 = "2.4", R2_5 = "2.5",
    R3_1 = "3.1", R3_2 = "3.2", R3_3 = "3.3", R3_4 = "3.4", R3_5 = "3.5",
    R4_1 = "4.1", R4_2 = "4.2", R4_3 = "4.3", R4_4 = "4.4", R4_5 = "4.5", R4_6 = "4.6", R4_7 = "4.7", R4_8 = "4.8",
    R5_1 = "5.1", R5_2 = "5.2", R5_3 = "5.3", R5_4 = "5.4", R5_5 = "5.5", R5_6 = "5.6",
    R6_1 = "6.1", R6_2 = "6.2", R6_3 = "6.3", R6_4 = "6.4",
    R7_1 = "7.1", R7_2 = "7.2", R7_3 = "7.3", R7_4 = "7.4", R7_5 = "7.5", R7_6 = "7.6", R7_7 = "7.7", R7_8 = "7.8",
    R7_9 = "7.9", R7_10 = "7.10",
    R8_1 = "8.1", R8_2 = "8.2", R8_3 = "8.3", R8_4 = "8.4", R8_5 = "8.5", R8_6 = "8.6",
    R9 = "9", R10 = "10", R11 = "11", R12 = "12", R13 = "13", R14 = "14",
    R15_1 = "15.1", R15_2 = "15.2", R15_3 = "15.3", R15_4 = "15.4",
    R16 = "16",
}

impl Rule {
    /// The rule of a number.
    ///
    /// ```
    /// use amendment::Rule;
    /// assert_eq!(Rule::parse("4.5"), Some(Rule::R4_5));
    /// assert_eq!(Rule::parse("4.9"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Rule> {
        Rule::ALL.iter().copied().find(|rule| rule.as_str() == text)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// As `Display` writes it: a failed test names the rule.
impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
