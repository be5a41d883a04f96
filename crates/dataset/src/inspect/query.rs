//! Conditions and SQL: what is asked, and what is wrong with it, in words that show where.

use polars::prelude::{DataType, Expr, LazyFrame, PolarsError, SortMultipleOptions};
use polars::sql::{SQLContext, extract_table_identifiers, sql_expr};
use unicode_width::UnicodeWidthStr;

use super::exact;
use crate::DatasetError;

const QUOTES: &str = "strings stand in single quotes: `pred_emotion = '기쁨'`";
const CONDITION: &str =
    "a condition is what follows WHERE in SQL: `pred_conf >= 0.9 AND pred_emotion = '기쁨'`";
/// What a condition stands behind for the parser that says where a mistake is.
const BEFORE: &str = "SELECT * FROM t WHERE ";

/// Names of a table's columns; none if they cannot be had.
pub(super) fn columns(frame: &LazyFrame) -> Vec<String> {
    let schema = frame.clone().collect_schema();
    schema
        .map(|schema| schema.iter_names().map(ToString::to_string).collect())
        .unwrap_or_default()
}

/// A condition on the rows of `table`, checked against its columns.
pub(super) fn condition(table: &LazyFrame, text: &str) -> Result<Expr, DatasetError> {
    let asked = Asked { text, before: BEFORE };
    let columns = columns(table);
    if text.trim().is_empty() {
        return Err(query(
            "the condition is empty".to_owned(),
            Some(CONDITION.to_owned()),
        ));
    }
    let used = extract_table_identifiers(&format!("{BEFORE}{text}"), true, true)
        .map_err(|error| asked.syntax(&error, CONDITION))?;
    if used.iter().any(|name| name != "t") {
        return Err(query(
            "a condition looks at one row at a time and can hold no query".to_owned(),
            Some("`--sql` takes whole queries".to_owned()),
        ));
    }
    let condition = sql_expr(text).map_err(|error| match error {
        PolarsError::SQLInterface(message) if message.contains("as Expr") => {
            query(format!("not a condition: `{text}`"), Some(CONDITION.to_owned()))
        }
        other => in_words(&other, &columns, Some(&asked)),
    })?;
    let mut value = table.clone().select([condition.clone().alias("condition")]);
    let schema = value
        .collect_schema()
        .map_err(|error| in_words(&error, &columns, Some(&asked)))?;
    match schema.get("condition") {
        Some(DataType::Boolean) => Ok(condition),
        Some(other) => Err(query(
            format!(
                "not a condition: `{text}` is a value of type {}",
                super::type_name(other)
            ),
            Some("compare it with something: `pred_conf >= 0.9`".to_owned()),
        )),
        None => Ok(condition),
    }
}

/// The answer to a query over tables by their names. It can read nothing else.
pub(super) fn answer(tables: &[(&str, LazyFrame)], text: &str) -> Result<LazyFrame, DatasetError> {
    let asked = Asked { text, before: "" };
    let columns: Vec<String> = tables.iter().flat_map(|(_, frame)| columns(frame)).collect();
    let used = extract_table_identifiers(text, true, true).map_err(|error| asked.syntax(&error, QUOTES))?;
    let file = |name: &&String| {
        name.to_lowercase()
            .split('.')
            .any(|part| part.starts_with("read_"))
    };
    if let Some(function) = used.iter().find(file) {
        return Err(query(
            format!("a query reads the table `t` alone; `{function}` would read another file"),
            Some("inspect that file by its path: `pipeline inspect FILE --sql …`".to_owned()),
        ));
    }
    let mut context = SQLContext::new();
    for (name, frame) in tables {
        context.register(name, frame.clone());
    }
    let mut frame = context
        .execute(text)
        .map_err(|error| in_words(&error, &columns, Some(&asked)))?;
    let schema = frame
        .collect_schema()
        .map_err(|error| in_words(&error, &columns, Some(&asked)))?;
    if !asked.groups_without_order() {
        return Ok(frame);
    }
    // Groups come in any order, which may be another one the next time.
    let sortable: Vec<Expr> = schema
        .iter()
        .filter(|(_, dtype)| !dtype.is_nested())
        .map(|(name, _)| exact(name))
        .collect();
    if sortable.is_empty() {
        return Ok(frame);
    }
    let order = SortMultipleOptions::default().with_nulls_last(true);
    Ok(frame.sort_by_exprs(sortable, order))
}

/// What was asked, as it was typed.
pub(super) struct Asked<'q> {
    text: &'q str,
    /// What the parser saw before it.
    before: &'static str,
}

impl Asked<'_> {
    /// A parser's message with the place that it names.
    fn syntax(&self, error: &PolarsError, hint: &str) -> DatasetError {
        let text = crate::error::first_line(&error.to_string());
        let (what, place) = split_place(&text);
        let what = what.trim_start_matches("sql parser error: ");
        let what = match what.strip_prefix("Expected: ") {
            Some(rest) => format!("expected {}", rest.replace("found: EOF", "found its end")),
            None => what.to_owned(),
        };
        let shown = place.and_then(|(line, column)| self.show(line, column));
        query(
            format!("{what}{}", shown.unwrap_or_default()),
            Some(hint.to_owned()),
        )
    }

    /// The line with a mark below the column, both from 1 as the parser counts them.
    fn show(&self, line: usize, column: usize) -> Option<String> {
        let before = if line == 1 { self.before.chars().count() } else { 0 };
        // The end of the text has no place.
        let (line, column) = match (line, column) {
            (0, _) | (_, 0) => (self.text.lines().count().max(1), usize::MAX),
            (line, column) => (line, column.saturating_sub(before).max(1)),
        };
        let shown = self.text.lines().nth(line - 1)?;
        let left: String = shown.chars().take(column - 1).collect();
        Some(format!("\n  | {shown}\n  | {}^", " ".repeat(left.width())))
    }

    /// The place of a word.
    fn find(&self, word: &str) -> Option<String> {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let (number, line, at) = self.text.lines().enumerate().find_map(|(number, line)| {
            let whole = |(at, _): &(usize, &str)| {
                !line[..*at].ends_with(is_name) && !line[at + word.len()..].starts_with(is_name)
            };
            line.match_indices(word)
                .find(whole)
                .map(|(at, _)| (number, line, at))
        })?;
        let own = Asked { before: "", ..*self };
        own.show(number + 1, line[..at].chars().count() + 1)
    }

    fn groups_without_order(&self) -> bool {
        let words: Vec<String> = self
            .text
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .map(str::to_lowercase)
            .collect();
        let has = |word: &str| words.iter().any(|other| other == word);
        (has("group") || has("distinct")) && !has("order")
    }
}

/// An error of polars in words; with what was asked, it shows the place.
pub(super) fn in_words(error: &PolarsError, columns: &[String], asked: Option<&Asked<'_>>) -> DatasetError {
    let text = crate::error::first_line(&error.to_string());
    let (unknown, syntax) = match root(error) {
        PolarsError::ColumnNotFound(name) | PolarsError::SchemaFieldNotFound(name) => (quoted(name), false),
        PolarsError::SQLInterface(message) if message.contains("relation") => {
            let name = quoted(message).unwrap_or_default();
            let shown = asked.and_then(|asked| asked.find(&name)).unwrap_or_default();
            return query(
                format!("no table `{name}`{shown}"),
                Some("the table is called `t`".to_owned()),
            );
        }
        PolarsError::SQLInterface(message) if message.contains("column") => (quoted(message), true),
        PolarsError::SQLInterface(message) if message.contains("unsupported") => {
            return query(message.to_string(), None);
        }
        PolarsError::SQLSyntax(_) | PolarsError::SQLInterface(_) => (None, true),
        _ => (None, false),
    };
    match unknown.filter(|name| !columns.contains(name)) {
        Some(name) => {
            let shown = asked.and_then(|asked| asked.find(&name)).unwrap_or_default();
            let all = columns.join(", ");
            let hint = match stage::nearest(&name, columns.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`? the columns are {all}"),
                None => format!("the columns are {all}; {QUOTES}"),
            };
            query(format!("no column `{name}`{shown}"), Some(hint))
        }
        None => match asked {
            Some(asked) if syntax => asked.syntax(error, QUOTES),
            _ => query(text, syntax.then(|| QUOTES.to_owned())),
        },
    }
}

fn query(message: String, hint: Option<String>) -> DatasetError {
    DatasetError::Query { message, hint }
}

fn root(error: &PolarsError) -> &PolarsError {
    match error {
        PolarsError::Context { error, .. } | PolarsError::ExprContext { error, .. } => root(error),
        other => other,
    }
}

/// `MESSAGE at Line: 1, Column: 8`
fn split_place(text: &str) -> (&str, Option<(usize, usize)>) {
    let parts = text.rsplit_once(" at Line: ").and_then(|(message, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((message, (line.trim().parse().ok()?, column.trim().parse().ok()?)))
    });
    match parts {
        Some((message, place)) => (message, Some(place)),
        // The parser gives no place for the end of the text.
        None if text.contains("found: EOF") => (text, Some((0, 0))),
        None => (text, None),
    }
}

/// The first word in quotes of a message, or all of it if it is one word.
fn quoted(message: &str) -> Option<String> {
    let first_line = message.lines().next().unwrap_or_default();
    for quote in ['"', '\'', '`'] {
        let mut parts = first_line.split(quote);
        if let (Some(_), Some(word), Some(_)) = (parts.next(), parts.next(), parts.next()) {
            return Some(word.to_owned());
        }
    }
    (!first_line.is_empty() && !first_line.contains(' ')).then(|| first_line.to_owned())
}
