//! Owner directories: which entries belong to an account, in pages of 32.
//!
//! Xahau's rules (ApplyView.cpp `dirAdd`, `dirRemove`), no section of the spec. The directories of order
//! books are not supported.

use codec::format::EntryType;
use codec::{AccountId, Hash256, Object, Ter, keylet, sf};

use crate::limits::{DIRECTORY_PAGE_ENTRIES_MAX, DIRECTORY_PAGES_MAX};
use crate::sandbox::Sandbox;

/// What becomes of a directory's first page when its last entry goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmptyRoot {
    /// It stays, empty.
    Keep,
    /// It goes too.
    Erase,
}

/// True where the account owns nothing that is listed.
pub(crate) fn is_empty(sandbox: &Sandbox<'_>, owner: AccountId) -> bool {
    sandbox
        .entry(&keylet::owner_dir(owner))
        .is_none_or(|root| indexes(&root).is_empty() && root.u64(sf::INDEX_NEXT).unwrap_or(0) == 0)
}

/// Lists an entry and says on which page. tecDIR_FULL where there is no page left.
pub(crate) fn insert(sandbox: &mut Sandbox<'_>, owner: AccountId, item: Hash256) -> Result<u64, Ter> {
    let root_key = keylet::owner_dir(owner);
    let page_of = |entry: Object| {
        entry
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::DirectoryNode.code())
            .with(sf::FLAGS, 0u32)
            .with(sf::ROOT_INDEX, root_key)
            .with(sf::OWNER, owner)
            .with(sf::INDEXES, vec![item])
    };
    let Some(root) = sandbox.entry(&root_key) else {
        sandbox.put(root_key, page_of(Object::new()));
        return Ok(0);
    };
    let last = root.u64(sf::INDEX_PREVIOUS).unwrap_or(0);
    let last_key = keylet::dir_page(root_key, last);
    let page = sandbox.entry(&last_key).ok_or(Ter::TEF_BAD_LEDGER)?;
    let mut listed = indexes(&page).to_vec();
    if listed.len() < DIRECTORY_PAGE_ENTRIES_MAX {
        listed.push(item);
        listed.sort();
        sandbox.put(last_key, page.with(sf::INDEXES, listed));
        return Ok(last);
    }
    let next = last
        .checked_add(1)
        .filter(|page| *page < DIRECTORY_PAGES_MAX)
        .ok_or(Ter::TEC_DIR_FULL)?;
    sandbox.put(last_key, page.with(sf::INDEX_NEXT, next));
    let root = sandbox.entry(&root_key).ok_or(Ter::TEF_BAD_LEDGER)?;
    sandbox.put(root_key, root.with(sf::INDEX_PREVIOUS, next));
    let mut new = page_of(Object::new());
    if last != 0 {
        new.set(sf::INDEX_PREVIOUS, last);
    }
    sandbox.put(keylet::dir_page(root_key, next), new);
    Ok(next)
}

/// Takes an entry off its page. A page that this leaves empty is unlinked, the first one only as `empty_root`
/// says.
pub(crate) fn remove(
    sandbox: &mut Sandbox<'_>,
    owner: AccountId,
    page: u64,
    item: Hash256,
    empty_root: EmptyRoot,
) -> Result<(), Ter> {
    let root_key = keylet::owner_dir(owner);
    let key_of = |page: u64| keylet::dir_page(root_key, page);
    let load = |sandbox: &Sandbox<'_>, page: u64| sandbox.entry(&key_of(page)).ok_or(Ter::TEF_BAD_LEDGER);
    let node = load(sandbox, page)?;
    let mut listed = indexes(&node).to_vec();
    let at = listed
        .iter()
        .position(|index| *index == item)
        .ok_or(Ter::TEF_BAD_LEDGER)?;
    listed.remove(at);
    let is_left_empty = listed.is_empty();
    let (previous, next) = links(&node);
    sandbox.put(key_of(page), node.with(sf::INDEXES, listed));
    if !is_left_empty {
        return Ok(());
    }
    if page == 0 {
        if (previous, next) == (0, 0) && empty_root == EmptyRoot::Erase {
            sandbox.erase(&root_key);
        }
        return Ok(());
    }
    let before = load(sandbox, previous)?;
    sandbox.put(key_of(previous), before.with(sf::INDEX_NEXT, next));
    let after = load(sandbox, next)?;
    sandbox.put(key_of(next), after.with(sf::INDEX_PREVIOUS, previous));
    sandbox.erase(&key_of(page));
    let root = load(sandbox, 0)?;
    if (previous, next) == (0, 0) && indexes(&root).is_empty() && empty_root == EmptyRoot::Erase {
        sandbox.erase(&root_key);
    }
    Ok(())
}

fn indexes(page: &Object) -> &[Hash256] {
    page.vector256(sf::INDEXES).unwrap_or(&[])
}

fn links(page: &Object) -> (u64, u64) {
    (
        page.u64(sf::INDEX_PREVIOUS).unwrap_or(0),
        page.u64(sf::INDEX_NEXT).unwrap_or(0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state_map::StateMap;

    const OWNER: AccountId = AccountId::new([7; 20]);

    fn item(number: u8) -> Hash256 {
        Hash256::new([number; 32])
    }

    fn page(sandbox: &Sandbox<'_>, number: u64) -> Option<Object> {
        sandbox.entry(&keylet::dir_page(keylet::owner_dir(OWNER), number))
    }

    /// A directory of so many entries, listed in falling order.
    fn filled<'a>(base: &'a StateMap, entries: u8) -> Sandbox<'a> {
        let mut sandbox = Sandbox::new(base);
        for number in (0..entries).rev() {
            insert(&mut sandbox, OWNER, item(number)).unwrap();
        }
        sandbox
    }

    #[test]
    fn accepts_pages_of_32_in_a_chain_that_the_root_ends() {
        let base = StateMap::new();
        let sandbox = filled(&base, 65);
        let (root, one, two) = (
            page(&sandbox, 0).unwrap(),
            page(&sandbox, 1).unwrap(),
            page(&sandbox, 2).unwrap(),
        );
        assert_eq!(
            (indexes(&root).len(), indexes(&one).len(), indexes(&two).len()),
            (32, 32, 1)
        );
        assert!(indexes(&root).is_sorted());
        assert_eq!((links(&root), links(&one), links(&two)), ((2, 1), (0, 2), (1, 0)));
        assert!(
            !one.contains(sf::INDEX_PREVIOUS),
            "a previous page 0 is not written"
        );
    }

    #[test]
    fn accepts_removal_that_unlinks_an_empty_page() {
        let base = StateMap::new();
        let mut sandbox = filled(&base, 65);
        remove(&mut sandbox, OWNER, 2, item(0), EmptyRoot::Erase).unwrap();
        assert!(page(&sandbox, 2).is_none());
        assert_eq!(links(&page(&sandbox, 0).unwrap()), (1, 1));
        assert_eq!(links(&page(&sandbox, 1).unwrap()), (0, 0));
    }

    #[test]
    fn accepts_both_fates_of_the_empty_root() {
        let base = StateMap::new();
        for (fate, remains) in [(EmptyRoot::Keep, true), (EmptyRoot::Erase, false)] {
            let mut sandbox = filled(&base, 1);
            assert!(!is_empty(&sandbox, OWNER));
            remove(&mut sandbox, OWNER, 0, item(0), fate).unwrap();
            assert_eq!(page(&sandbox, 0).is_some(), remains);
            assert!(is_empty(&sandbox, OWNER));
        }
    }

    #[test]
    fn rejects_removal_of_what_is_not_listed() {
        let base = StateMap::new();
        let mut sandbox = filled(&base, 2);
        let mut refuse = |page, number| remove(&mut sandbox, OWNER, page, item(number), EmptyRoot::Keep);
        assert_eq!(refuse(0, 9), Err(Ter::TEF_BAD_LEDGER));
        assert_eq!(refuse(1, 0), Err(Ter::TEF_BAD_LEDGER));
        assert_eq!(refuse(0, 1), Ok(()));
    }
}
