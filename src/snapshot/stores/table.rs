//! One kind of object, as a list followed by changes shows it.

use std::collections::BTreeMap;

/// What a watch shows, piece by piece. A list is shown between `Listing` and `Listed`, at the start and again whenever the watch has
/// lost its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen<T> {
    /// A list begins.
    Listing,
    /// An object of that list.
    Item(T),
    /// The list is complete: what was not in it does not exist.
    Listed,
    /// An object was made or changed.
    Put(T),
    /// An object is gone.
    Gone(T),
    /// There is no such kind (any more). That there are no objects it says only where none were known.
    NoSuchKind,
}

impl<T> Seen<T> {
    pub(super) fn map<U>(self, f: impl FnOnce(T) -> U) -> Seen<U> {
        match self {
            Self::Listing => Seen::Listing,
            Self::Item(object) => Seen::Item(f(object)),
            Self::Listed => Seen::Listed,
            Self::Put(object) => Seen::Put(f(object)),
            Self::Gone(object) => Seen::Gone(f(object)),
            Self::NoSuchKind => Seen::NoSuchKind,
        }
    }

    /// Of which single object it is that this speaks.
    pub(super) fn key<K>(&self, key: impl FnOnce(&T) -> K) -> Option<K> {
        match self {
            Self::Listing | Self::Listed | Self::NoSuchKind => None,
            Self::Item(object) | Self::Put(object) | Self::Gone(object) => Some(key(object)),
        }
    }
}

/// Objects by key. While a list is under way the old content stands.
#[derive(Debug)]
pub struct Table<K, V> {
    items: BTreeMap<K, V>,
    coming: BTreeMap<K, V>,
    listed: bool,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { items: BTreeMap::new(), coming: BTreeMap::new(), listed: false }
    }
}

impl<K: Ord + Clone, V> Table<K, V> {
    /// Whether a complete list was seen.
    pub(super) const fn is_listed(&self) -> bool {
        self.listed
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.items.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.items.iter()
    }

    pub(super) const fn items(&self) -> &BTreeMap<K, V> {
        &self.items
    }

    /// Takes in what was seen; says whether anything differs now that `same` does not call the same. An object without a value is one of
    /// which nothing is kept, as if it did not exist.
    pub(super) fn see(&mut self, seen: Seen<(K, Option<V>)>, same: impl Fn(&V, &V) -> bool) -> bool {
        match seen {
            Seen::Listing => {
                self.coming.clear();
                false
            }
            Seen::Item((key, value)) => {
                self.coming.extend(value.map(|value| (key, value)));
                false
            }
            Seen::Listed => {
                let before = std::mem::replace(&mut self.items, std::mem::take(&mut self.coming));
                let first = !std::mem::replace(&mut self.listed, true);
                let alike = before.len() == self.items.len()
                    && before
                        .iter()
                        .zip(&self.items)
                        .all(|(one, other)| one.0 == other.0 && same(one.1, other.1));
                first || !alike
            }
            Seen::Put((key, Some(value))) => {
                let differs = self.items.get(&key).is_none_or(|before| !same(before, &value));
                self.items.insert(key, value);
                differs
            }
            Seen::NoSuchKind => {
                self.coming.clear();
                !std::mem::replace(&mut self.listed, true)
            }
            Seen::Put((key, None)) | Seen::Gone((key, _)) => self.items.remove(&key).is_some(),
        }
    }
}
