//! Where keys come from.

use std::future::Future;
use std::pin::Pin;

use amendment::KeyName;

use crate::answer::{Answer, Published};

/// A look-up under way.
pub type Lookup<'a> = Pin<Box<dyn Future<Output = Answer<Published>> + Send + 'a>>;

/// Where keys come from.
pub trait KeyResolver: Send + Sync {
    /// Looks one name up. The answer is of now: nothing is cached.
    fn look_up<'a>(&'a self, name: &'a KeyName) -> Lookup<'a>;
}

/// Nowhere: every look-up fails.
#[derive(Debug, Clone, Copy)]
pub struct NoResolver;

impl KeyResolver for NoResolver {
    fn look_up<'a>(&'a self, _name: &'a KeyName) -> Lookup<'a> {
        let failed = Answer::Failed("there is no resolver".to_owned());
        Box::pin(std::future::ready(failed))
    }
}
