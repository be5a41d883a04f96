//! Strings that recur in a column, held once.

use std::collections::HashMap;
use std::sync::Arc;

use stage::InputItem;

/// Equal sources share one string.
pub(crate) struct Interner {
    file_name: Arc<str>,
    last: Arc<str>,
    known: HashMap<String, Arc<str>>,
}

impl Interner {
    /// For the rows of an item.
    pub(crate) fn of(item: &InputItem) -> Self {
        let file_name = item.path.file_name();
        let file_name = file_name.map_or_else(|| item.name.as_str().into(), |name| name.to_string_lossy());
        let file_name: Arc<str> = file_name.into();
        Self {
            last: Arc::clone(&file_name),
            file_name,
            known: HashMap::new(),
        }
    }

    /// `source`, or the file's name if there is none.
    pub(crate) fn get(&mut self, source: &str) -> Arc<str> {
        if source.is_empty() {
            return Arc::clone(&self.file_name);
        }
        if *self.last != *source {
            self.last = match self.known.get(source) {
                Some(known) => Arc::clone(known),
                None => {
                    let new: Arc<str> = source.into();
                    self.known.insert(source.to_owned(), Arc::clone(&new));
                    new
                }
            };
        }
        Arc::clone(&self.last)
    }
}
