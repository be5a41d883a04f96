//! A field of a JSON object: by its name, or by a path into it (`payload.user_input`, `turns.0.text`).

use serde_json::{Map, Value};

use crate::RowProblem;

/// The field `column`. None: the object has none of that name, and the name is not a path. A name that is there as it
/// stands is never taken for a path; null on the way is null at its end.
pub(crate) fn field<'o>(
    object: &'o Map<String, Value>,
    column: &str,
) -> Result<Option<&'o Value>, RowProblem> {
    if let Some(value) = object.get(column) {
        return Ok(Some(value));
    }
    let Some((first, path)) = column.split_once('.') else {
        return Ok(None);
    };
    let missing = |reason: String| RowProblem::NoField {
        column: column.to_owned(),
        reason,
    };
    let mut value = object
        .get(first)
        .ok_or_else(|| missing(format!("there is no `{first}`")))?;
    let mut end = first.len();
    for part in path.split('.') {
        let parent = &column[..end];
        value = match value {
            Value::Null => return Ok(Some(&Value::Null)),
            Value::Object(object) => object
                .get(part)
                .ok_or_else(|| missing(format!("`{parent}` has no `{part}`")))?,
            Value::Array(items) => match part.parse::<usize>() {
                Ok(at) => items.get(at).ok_or_else(|| {
                    missing(format!("`{parent}` has {} items, counted from 0", items.len()))
                })?,
                Err(_) => {
                    return Err(missing(format!(
                        "`{parent}` is a list, whose items go by number, as in `{parent}.0`"
                    )));
                }
            },
            other => return Err(missing(format!("`{parent}` is {}", describe(other)))),
        };
        end += 1 + part.len();
    }
    Ok(Some(value))
}

/// The object with the fields of the objects in it under their paths; lists stay as they are.
pub(crate) fn flatten(object: Map<String, Value>) -> Map<String, Value> {
    if !object.values().any(Value::is_object) {
        return object;
    }
    let mut flat = Map::new();
    let (nested, own): (Vec<_>, Vec<_>) = object.into_iter().partition(|(_, value)| value.is_object());
    flat.extend(own);
    for (name, value) in nested {
        add(&mut flat, name, value);
    }
    flat
}

fn add(flat: &mut Map<String, Value>, path: String, value: Value) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (name, value) in object {
                add(flat, format!("{path}.{name}"), value);
            }
        }
        value => {
            flat.entry(path).or_insert(value);
        }
    }
}

/// What a value is, in words.
pub(crate) fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn reason(value: Value, column: &str) -> String {
        field(&object(value), column).unwrap_err().to_string()
    }

    #[test]
    fn a_path_leads_through_objects_and_lists() {
        let turns = object(json!({"turns": [{"text": "a"}, {"text": "b"}]}));
        assert_eq!(field(&turns, "turns.1.text").unwrap(), Some(&json!("b")));
    }

    #[test]
    fn a_name_with_a_dot_comes_before_a_path() {
        let both = object(json!({"a.b": 1, "a": {"b": 2}}));
        assert_eq!(field(&both, "a.b").unwrap(), Some(&json!(1)));
        assert_eq!(flatten(both), object(json!({"a.b": 1})));
    }

    #[test]
    fn the_part_that_is_missing_is_named() {
        assert_eq!(reason(json!({"a": {"c": 1}}), "a.b"), "no `a.b`: `a` has no `b`");
        assert_eq!(reason(json!({"b": 1}), "a.b"), "no `a.b`: there is no `a`");
        assert_eq!(
            reason(json!({"a": {"b": "x"}}), "a.b.c"),
            "no `a.b.c`: `a.b` is a string"
        );
        assert_eq!(
            reason(json!({"a": ["x"]}), "a.3"),
            "no `a.3`: `a` has 1 items, counted from 0"
        );
        assert_eq!(
            reason(json!({"a": ["x"]}), "a.b"),
            "no `a.b`: `a` is a list, whose items go by number, as in `a.0`"
        );
    }

    #[test]
    fn null_on_the_way_is_an_empty_cell() {
        assert_eq!(
            field(&object(json!({"a": null})), "a.b").unwrap(),
            Some(&Value::Null)
        );
    }

    #[test]
    fn flattening_gives_paths_that_lead_to_the_values() {
        let nested = object(json!({"id": 1, "a": {"b": {"c": "x"}, "d": []}, "e": {}}));
        assert_eq!(
            flatten(nested),
            object(json!({"id": 1, "a.b.c": "x", "a.d": [], "e": {}}))
        );
    }
}
