//! The JSON Schema of a pipeline file, for editors: `# yaml-language-server: $schema=pipeline.schema.json`.

use serde_json::{Map, Value, json};
use stage::{Encoding, Format, InputSpec, StageKind};

use crate::spec::{BACKENDS, DEFAULT_SEED, PRECISIONS, TASKS, VERSION};

/// The JSON Schema (draft 7, which editors know) of a pipeline file with stages of these kinds.
pub fn schema(kinds: &[&dyn StageKind]) -> Value {
    let mut definitions = Map::new();
    let mut conditions = Vec::new();
    for kind in kinds {
        let params = params(*kind, &mut definitions);
        definitions.insert(format!("{}.params", kind.name()), params);
        definitions.insert(format!("{}.inputs", kind.name()), inputs(*kind));
        conditions.push(json!({
            "if": {"properties": {"kind": {"const": kind.name()}}, "required": ["kind"]},
            "then": {"properties": {
                "inputs": {"$ref": format!("#/definitions/{}.inputs", kind.name())},
                "params": {"$ref": format!("#/definitions/{}.params", kind.name())},
            }},
        }));
    }
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    definitions.insert("stage".to_owned(), stage(&names, conditions));
    definitions.insert("label".to_owned(), label());
    definitions.insert("item".to_owned(), item());
    definitions.insert("items".to_owned(), items());
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "pipeline file",
        "type": "object",
        "required": ["version", "labels", "stages"],
        "additionalProperties": false,
        "properties": {
            "version": {"const": VERSION, "description": "Version of this format."},
            "name": {"type": "string", "description": "The pipeline's name."},
            "seed": {"type": "integer", "minimum": 0, "default": DEFAULT_SEED, "description": "For every random choice; a stage's own `seed` takes its place."},
            "task": {"enum": TASKS, "default": TASKS[0], "description": "Whether a text has exactly one label or any number of them."},
            "labels": {"type": "array", "minItems": 2, "items": {"$ref": "#/definitions/label"}, "description": "The classes; their order is the class ids, everywhere."},
            "runtime": runtime(),
            "stages": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$", "not": {"const": "runs"}},
                "additionalProperties": {"$ref": "#/definitions/stage"},
                "description": "Name → stage. What a stage reads decides the order.",
            },
        },
        "definitions": definitions,
    })
}

fn runtime() -> Value {
    json!({
        "type": ["object", "null"],
        "additionalProperties": false,
        "description": "Where stages run.",
        "properties": {
            "device": {"type": "string", "pattern": "^(auto|cpu|cuda|cuda:[0-9]+)$", "default": "auto", "description": "auto, cpu, cuda or cuda:N."},
            "backend": {"enum": BACKENDS, "default": "auto", "description": "What computes."},
            "precision": {"enum": PRECISIONS, "default": "auto", "description": "auto: bf16 where it is fast, else f32. int8 cannot be trained with. A stage's own `precision` wins."},
            "threads": {"type": "integer", "minimum": 0, "default": 0, "description": "0 = all cores."},
        },
    })
}

fn stage(names: &[&str], conditions: Vec<Value>) -> Value {
    json!({
        "type": "object",
        "required": ["kind"],
        "additionalProperties": false,
        "properties": {
            "kind": {"enum": names, "description": "Which kind of stage does the work."},
            "inputs": {"type": ["object", "null"], "description": "Name → artifact (`STAGE.ARTIFACT`), path, or a list of these."},
            "params": {"type": ["object", "null"]},
            "after": {
                "anyOf": [{"type": ["string", "null"]}, {"type": "array", "items": {"type": "string"}}],
                "description": "Stages that are to be done before, and whose gates must be met: else this one does not begin. Their results have no part in its own.",
            },
        },
        "allOf": conditions,
    })
}

fn label() -> Value {
    json!({
        "oneOf": [
            {"type": "string", "minLength": 1},
            {
                "type": "object",
                "required": ["name"],
                "additionalProperties": false,
                "properties": {
                    "name": {"type": "string", "minLength": 1, "description": "The name in every file and report."},
                    "slug": {"type": ["string", "null"], "description": "An ASCII name for places that need one."},
                    "aliases": {"type": ["array", "null"], "items": {"type": "string"}, "description": "Other names under which the class stands in data files."},
                },
            },
        ],
    })
}

fn item() -> Value {
    json!({
        "oneOf": [
            {"type": "string", "minLength": 1, "description": "`STAGE.ARTIFACT`, or a path relative to the pipeline file."},
            {
                "type": "object",
                "required": ["path"],
                "additionalProperties": false,
                "properties": {
                    "path": {"type": "string", "minLength": 1, "description": "Relative to the pipeline file."},
                    "format": {"enum": Format::NAMES, "description": "Absent: by the file's ending."},
                    "encoding": {"type": ["string", "null"], "examples": Encoding::NAMES, "description": "Of a text file. Absent: UTF-8."},
                    "sheet": {"type": ["string", "integer", "null"], "minimum": 1, "description": "Of a workbook: name, or number from 1. Absent: the first."},
                    "header_row": {"type": ["integer", "null"], "minimum": 1, "default": 1, "description": "The row with the names of the columns (csv, tsv, xlsx, xls)."},
                    "text_column": {"type": ["string", "null"], "description": "Absent: `text`."},
                    "label_column": {"type": ["string", "null"], "description": "Absent: `label` (multi-label: `labels`)."},
                    "map": {"type": ["object", "null"], "additionalProperties": {"type": "string"}, "description": "Label in the file → label of the pipeline, or `drop`."},
                },
            },
        ],
    })
}

fn items() -> Value {
    json!({
        "anyOf": [
            {"$ref": "#/definitions/item"},
            {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/item"}},
        ],
    })
}

fn inputs(kind: &dyn StageKind) -> Value {
    let input = |spec: &InputSpec| {
        let reference = if spec.many {
            "#/definitions/items"
        } else {
            "#/definitions/item"
        };
        // Draft 7 ignores what stands beside `$ref`.
        json!({"allOf": [{"$ref": reference}], "description": spec.description})
    };
    let properties: Map<String, Value> = kind
        .inputs()
        .iter()
        .map(|spec| (spec.name.to_owned(), input(spec)))
        .collect();
    let required: Vec<&str> = kind
        .inputs()
        .iter()
        .filter(|spec| spec.required)
        .map(|spec| spec.name)
        .collect();
    let others = kind.other_inputs().map_or(Value::Bool(false), input);
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": others})
}

/// The kind's own schema, with its definitions moved to the root and its aliases added.
fn params(kind: &dyn StageKind, definitions: &mut Map<String, Value>) -> Value {
    let mut schema = kind.params_schema();
    move_references(&mut schema, kind.name());
    let Value::Object(map) = &mut schema else {
        return schema;
    };
    map.remove("$schema");
    for key in ["$defs", "definitions"] {
        if let Some(Value::Object(own)) = map.remove(key) {
            definitions.extend(
                own.into_iter()
                    .map(|(name, value)| (format!("{}.{name}", kind.name()), value)),
            );
        }
    }
    // Every param has a default.
    map.remove("required");
    map.insert("type".to_owned(), json!(["object", "null"]));
    map.insert("additionalProperties".to_owned(), Value::Bool(false));
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        for (alias, param) in kind.param_aliases() {
            if let Some(schema) = properties.get(*param).cloned() {
                let description = format!("Another name for `{param}`.");
                properties.insert(
                    (*alias).to_owned(),
                    json!({"allOf": [schema], "description": description}),
                );
            }
        }
    }
    schema
}

fn move_references(schema: &mut Value, kind: &str) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get_mut("$ref") {
                for from in ["#/$defs/", "#/definitions/"] {
                    if let Some(name) = reference.strip_prefix(from) {
                        *reference = format!("#/definitions/{kind}.{name}");
                        break;
                    }
                }
            }
            // Draft 7 ignores what stands beside `$ref`, and a description must not be lost.
            if map.len() > 1
                && let Some(reference) = map.remove("$ref")
            {
                map.insert("allOf".to_owned(), json!([{"$ref": reference}]));
            }
            map.values_mut()
                .for_each(|value| move_references_below(value, kind));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| move_references(item, kind)),
        _ => {}
    }
}

/// A `$ref` that was just moved into `allOf` has its new name already.
fn move_references_below(value: &mut Value, kind: &str) {
    let moved = |value: &Value| {
        value
            .get(0)
            .and_then(|item| item.get("$ref"))
            .and_then(Value::as_str)
            .is_some_and(|reference| reference.starts_with(&format!("#/definitions/{kind}.")))
    };
    if !moved(value) {
        move_references(value, kind);
    }
}
