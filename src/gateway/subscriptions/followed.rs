//! What one connection follows, or has asked to follow.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Wish;
use crate::domain::Scope;
use crate::gateway::sync::{Named, Object};

/// What one connection follows, or has asked to follow: what counts towards what it may.
///
/// The connection notes wishes, the shards strike out those that they refuse. An object may be wished for again
/// meanwhile, so each wish has a number, and only the newest for an object can end it.
pub struct Followed {
    most: usize,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    last: u32,
    wishes: HashMap<Object, u32>,
}

impl Followed {
    /// Nothing yet, and never more than `most`.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most,
            noted: Mutex::default(),
        }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a wish; answers its number, none if that would be too many.
    #[must_use]
    pub fn want(&self, object: Object) -> Option<u32> {
        let mut noted = self.noted();
        if noted.wishes.len() >= self.most && !noted.wishes.contains_key(&object) {
            return None;
        }
        noted.last = noted.last.wrapping_add(1);
        let number = noted.last;
        noted.wishes.insert(object, number);
        Some(number)
    }

    /// Whether an object is wished for, and not cancelled. Each wish for it is answered, an older one too.
    #[must_use]
    pub fn is_wanted(&self, object: Object) -> bool {
        self.noted().wishes.contains_key(&object)
    }

    /// Strikes out a wish that was refused.
    pub(super) fn strike(&self, wish: &Wish) {
        let mut noted = self.noted();
        if noted.wishes.get(&wish.object) == Some(&wish.number) {
            noted.wishes.remove(&wish.object);
        }
    }

    /// Strikes out what a client names, and answers it. Whatever it was is known from when it was wished for: it may be
    /// gone by now.
    #[must_use]
    pub fn cancel(&self, named: Named) -> Option<Object> {
        let mut noted = self.noted();
        let mut objects = named.may_be();
        objects.find(|object| noted.wishes.remove(object).is_some())
    }

    /// The topics of all.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        self.noted().wishes.keys().map(|o| o.scope()).collect()
    }
}
