//! Where every node of a YAML text stands. Values come from `serde_yaml`; this tree only places carets,
//! and knows what `serde_yaml` does not keep: quotes, repeated keys, aliases.

use std::ops::Range;

use serde_saphyr::granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, Span, StructureStyle};

/// A node and its place.
#[derive(Debug)]
pub(super) struct SpanNode {
    /// Bytes of the text; of a block collection, those of its first line.
    pub(super) bytes: Range<usize>,
    pub(super) shape: Shape,
}

/// What a node is made of.
#[derive(Debug)]
pub(super) enum Shape {
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<SpanNode>),
    Map(Vec<(SpanNode, SpanNode)>),
    /// An alias (`*name`) of the anchor with this number.
    Alias(usize),
}

/// The tree of a text.
#[derive(Debug, Default)]
pub(super) struct SpanTree {
    /// Absent: the text holds nothing but comments.
    pub(super) root: Option<SpanNode>,
    /// Where a second document begins.
    pub(super) second_document: Option<Range<usize>>,
    /// (anchor, keys and indices from the root)
    anchors: Vec<(usize, Vec<usize>)>,
}

/// A text that is not YAML.
#[derive(Debug)]
pub(super) struct SpanError {
    pub(super) message: String,
    pub(super) at: usize,
    /// Nested beyond the limit.
    pub(super) too_deep: bool,
}

impl SpanError {
    fn new(message: &str, at: usize) -> Self {
        Self {
            message: message.to_owned(),
            at,
            too_deep: false,
        }
    }
}

impl SpanTree {
    pub(super) fn read(text: &str) -> Result<Self, SpanError> {
        let mut options = Options::default();
        options.emit_comments = false;
        let mut builder = Builder {
            parser: Parser::new_from_str_with_options(text, options),
            tree: Self::default(),
        };
        builder.read()?;
        Ok(builder.tree)
    }

    /// The node that an alias stands for.
    pub(super) fn anchored(&self, anchor: usize) -> Option<&SpanNode> {
        let (_, path) = self.anchors.iter().find(|(id, _)| *id == anchor)?;
        path.iter()
            .try_fold(self.root.as_ref()?, |node, index| match &node.shape {
                Shape::List(items) => items.get(*index),
                // Keys have even numbers, values odd ones.
                Shape::Map(entries) => {
                    let (key, value) = entries.get(index / 2)?;
                    Some(if index % 2 == 0 { key } else { value })
                }
                Shape::Scalar { .. } | Shape::Alias(_) => None,
            })
    }
}

struct Builder<'a> {
    parser: Parser<'a, serde_saphyr::granit_parser::StrInput<'a>>,
    tree: SpanTree,
}

impl<'a> Builder<'a> {
    fn read(&mut self) -> Result<(), SpanError> {
        let mut documents = 0;
        while let Some((event, span)) = self.next()? {
            match event {
                Event::DocumentStart(..) => documents += 1,
                Event::StreamStart | Event::DocumentEnd => {}
                Event::StreamEnd => break,
                // One document is read; where a second one begins is all that matters about it.
                _ if documents > 1 => {
                    self.tree.second_document = Some(bytes(&span));
                    break;
                }
                event => self.tree.root = Some(self.node(event, span, &mut Vec::new())?),
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, SpanError> {
        let event = self.parser.next_event().transpose();
        event.map_err(|error| SpanError {
            message: error.info(),
            at: error.marker().byte_offset().unwrap_or_default(),
            too_deep: *error.kind() == ErrorKind::RecursionLimitExceeded,
        })
    }

    /// Recursion is bounded by the parser's own nesting limit.
    fn node(&mut self, event: Event<'a>, span: Span, path: &mut Vec<usize>) -> Result<SpanNode, SpanError> {
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let (bytes, plain) = (bytes(&span), style == ScalarStyle::Plain);
                // An absent value comes as `~`.
                let text = if plain && bytes.is_empty() {
                    String::new()
                } else {
                    text.into_owned()
                };
                (
                    anchor,
                    SpanNode {
                        bytes,
                        shape: Shape::Scalar { text, plain },
                    },
                )
            }
            Event::SequenceStart(style, anchor, _) => {
                let mut items = Vec::new();
                let end = loop {
                    match self.child(&Event::SequenceEnd, items.len(), path)? {
                        Child::Node(node) => items.push(node),
                        Child::End(end) => break end,
                    }
                };
                (
                    anchor,
                    SpanNode {
                        bytes: collection(style, &span, &end),
                        shape: Shape::List(items),
                    },
                )
            }
            Event::MappingStart(style, anchor, _) => {
                let mut entries = Vec::new();
                let end = loop {
                    let key = match self.child(&Event::MappingEnd, entries.len() * 2, path)? {
                        Child::Node(node) => node,
                        Child::End(end) => break end,
                    };
                    match self.child(&Event::MappingEnd, entries.len() * 2 + 1, path)? {
                        Child::Node(value) => entries.push((key, value)),
                        Child::End(end) => break end,
                    }
                };
                (
                    anchor,
                    SpanNode {
                        bytes: collection(style, &span, &end),
                        shape: Shape::Map(entries),
                    },
                )
            }
            Event::Alias(anchor) => (
                0,
                SpanNode {
                    bytes: bytes(&span),
                    shape: Shape::Alias(anchor),
                },
            ),
            _ => return Err(SpanError::new("unexpected YAML event", bytes(&span).start)),
        };
        if anchor > 0 {
            self.tree.anchors.push((anchor, path.clone()));
        }
        Ok(node)
    }

    fn child(&mut self, end: &Event<'_>, index: usize, path: &mut Vec<usize>) -> Result<Child, SpanError> {
        let Some((event, span)) = self.next()? else {
            return Err(SpanError::new("the text ends too early", 0));
        };
        if event == *end {
            return Ok(Child::End(span));
        }
        path.push(index);
        let node = self.node(event, span, path)?;
        path.pop();
        Ok(Child::Node(node))
    }
}

enum Child {
    Node(SpanNode),
    End(Span),
}

fn bytes(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or_default()
}

fn collection(style: StructureStyle, start: &Span, end: &Span) -> Range<usize> {
    match style {
        StructureStyle::Flow => bytes(start).start..bytes(end).end,
        // To the end of the line: the reporter cuts a range there.
        StructureStyle::Block => bytes(start).start..usize::MAX,
    }
}
