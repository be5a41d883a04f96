//! A pipeline file as a tree of values that know where they stand.

use serde_json::Value as Json;
use serde_yaml::Value as Yaml;
use unicode_normalization::UnicodeNormalization;

use super::report::Report;
use super::source::Place;
use super::spans::{Shape, SpanNode, SpanTree};

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The value's; of a block collection, its key's.
    pub(super) place: Place,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub(super) struct Scalar {
    pub(super) value: Json,
    /// As it stands in the file, without quotes.
    pub(super) written: String,
    /// Without quotes in the file.
    pub(super) plain: bool,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// In NFC.
    pub(super) key: String,
    pub(super) key_place: Place,
    pub(super) node: Node,
}

impl Node {
    /// A mapping without entries.
    pub(super) fn empty_map(place: Place) -> Self {
        Self {
            place,
            content: Content::Map(Vec::new()),
        }
    }

    pub(super) fn null(place: Place) -> Self {
        let scalar = Scalar {
            value: Json::Null,
            written: String::new(),
            plain: true,
        };
        Self {
            place,
            content: Content::Scalar(scalar),
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(
            &self.content,
            Content::Scalar(Scalar {
                value: Json::Null,
                ..
            })
        )
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(Scalar {
                value: Json::String(text),
                ..
            }) => Some(text),
            _ => None,
        }
    }

    /// The value, if it is a whole number from 0.
    pub(super) fn whole_number(&self) -> Option<u64> {
        match &self.content {
            Content::Scalar(scalar) => scalar.value.as_u64(),
            _ => None,
        }
    }

    /// The entries of a mapping; of anything else, none.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// How the value is called in a message: "must be a number, not ...".
    pub(super) fn describe(&self) -> String {
        match &self.content {
            Content::List(_) => "a list".to_owned(),
            Content::Map(_) => "a mapping".to_owned(),
            Content::Scalar(scalar) if scalar.written.is_empty() && scalar.plain => "nothing".to_owned(),
            Content::Scalar(scalar) => format!("`{}`", shorten(&scalar.written)),
        }
    }

    pub(super) fn to_json(&self) -> Json {
        match &self.content {
            Content::Scalar(scalar) => scalar.value.clone(),
            Content::List(items) => items.iter().map(Self::to_json).collect(),
            Content::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.node.to_json()))
                .collect(),
        }
    }

    /// This value and all below it, with the key above each.
    pub(super) fn walk<'a>(&'a self, visit: &mut impl FnMut(Option<&'a Entry>, &'a Node)) {
        visit(None, self);
        match &self.content {
            Content::Scalar(_) => {}
            Content::List(items) => items.iter().for_each(|item| item.walk(visit)),
            Content::Map(entries) => {
                for entry in entries {
                    visit(Some(entry), &entry.node);
                    entry.node.walk(visit);
                }
            }
        }
    }
}

/// At most 60 characters of `text`, on one line.
pub(super) fn shorten(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match line.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// Joins the values of one parser with the places of the other; `fixed` is the place of a text that is not the file's.
pub(super) fn join(
    value: &Yaml,
    spans: &SpanTree,
    fixed: Option<Place>,
    report: &mut Report<'_>,
) -> Option<Node> {
    let root = spans.root.as_ref()?;
    let mut join = Join { spans, report, fixed };
    Some(join.node(value, root, None))
}

struct Join<'a, 'r, 's> {
    spans: &'a SpanTree,
    report: &'r mut Report<'s>,
    /// Below an alias, everything stands at the alias.
    fixed: Option<Place>,
}

impl<'a> Join<'a, '_, '_> {
    /// `key` is the place of the key above a value.
    fn node(&mut self, value: &Yaml, span: &'a SpanNode, key: Option<Place>) -> Node {
        if let Shape::Alias(anchor) = span.shape
            && let Some(target) = self.spans.anchored(anchor)
        {
            let outer = self.fixed;
            self.fixed = outer.or(Some(place_of(span)));
            let node = self.node(value, target, None);
            self.fixed = outer;
            return node;
        }
        let block = matches!(span.shape, Shape::List(_) | Shape::Map(_)) && span.bytes.end == usize::MAX;
        let own = if block || span.bytes.is_empty() {
            key.unwrap_or(place_of(span))
        } else {
            place_of(span)
        };
        let place = self.fixed.unwrap_or(own);
        let content = match (value, &span.shape) {
            (Yaml::Mapping(map), Shape::Map(entries)) if map.len() == entries.len() => {
                let pairs = map.values().zip(entries);
                Content::Map(
                    pairs
                        .filter_map(|(value, (key, span))| self.entry(value, key, span))
                        .collect(),
                )
            }
            (Yaml::Sequence(list), Shape::List(spans)) if list.len() == spans.len() => Content::List(
                list.iter()
                    .zip(spans)
                    .map(|(value, span)| self.node(value, span, None))
                    .collect(),
            ),
            (Yaml::Tagged(tagged), _) => {
                self.report.error(
                    place,
                    format!("the YAML tag `{}` has no meaning here", tagged.tag),
                );
                return self.node(&tagged.value, span, key);
            }
            (value, Shape::Scalar { text, plain }) => {
                let value = self.scalar(value, text, place);
                Content::Scalar(Scalar {
                    value,
                    written: text.clone(),
                    plain: *plain,
                })
            }
            _ => {
                self.report
                    .error(place, "two YAML parsers read this differently")
                    .hint("write it more plainly");
                Node::null(place).content
            }
        };
        Node { place, content }
    }

    fn entry(&mut self, value: &Yaml, key: &'a SpanNode, span: &'a SpanNode) -> Option<Entry> {
        let key_place = self.fixed.unwrap_or(place_of(key));
        let Shape::Scalar { text, plain } = &key.shape else {
            self.report
                .error(key_place, "a key must be a word, not a list, mapping or alias");
            return None;
        };
        if text == "<<" && *plain {
            let problem = self
                .report
                .error(key_place, "merge keys (`<<`) are not supported");
            problem.hint("repeat the values, or use an alias (`*name`) for the whole value");
            return None;
        }
        let node = self.node(value, span, Some(key_place));
        Some(Entry {
            key: text.nfc().collect(),
            key_place,
            node,
        })
    }

    fn scalar(&mut self, value: &Yaml, text: &str, place: Place) -> Json {
        match value {
            Yaml::Null => Json::Null,
            Yaml::Bool(value) => Json::Bool(*value),
            Yaml::String(value) if value == text => Json::String(value.clone()),
            Yaml::Number(number) => match serde_json::to_value(number) {
                Ok(value @ Json::Number(_)) => value,
                // `.nan` and `.inf`: wherever a number is wanted, this is refused with the place's own message.
                _ => Json::String(text.to_owned()),
            },
            _ => {
                self.report
                    .error(place, "two YAML parsers read this differently")
                    .hint("write it in double quotes");
                Json::Null
            }
        }
    }
}

fn place_of(span: &SpanNode) -> Place {
    Place::File(span.bytes.start, span.bytes.end)
}
