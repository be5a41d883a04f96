//! The graph and the schema.

use serde_json::Value;

use crate::kinds::KINDS;
use crate::{PIPELINE, errors, load};

#[test]
fn the_graph_follows_the_data() {
    let dag = load(PIPELINE);
    let expected = "o        prepare (prepare)\n+-o      teacher (fine_tune)\n+-+-o    score (score)\n+-+---o  evaluate (evaluate)\n";
    assert_eq!(dag::graph::ascii(&dag), expected);
}

#[test]
fn a_line_that_passes_a_column_does_not_end_there() {
    let branch = "  second:\n    kind: fine_tune\n    inputs: {train: prepare.train, base: teacher.model}\n";
    let last = "  third:\n    kind: evaluate\n    inputs: {golden: prepare.golden, m: evaluate.models/teacher/errors}\n";
    assert!(errors(&format!("{PIPELINE}{last}")).contains("takes a model"));
    let dag = load(&format!(
        "{}{branch}",
        PIPELINE.replace(
            "teacher: teacher.model, golden: prepare.golden",
            "golden: prepare.golden, m: second.model"
        )
    ));
    let expected = "o          prepare (prepare)\n+-o        teacher (fine_tune)\n+-+-o      score (score)\n+-+---o    second (fine_tune)\n+-----+-o  evaluate (evaluate)\n";
    assert_eq!(dag::graph::ascii(&dag), expected);
}

#[test]
fn mermaid_names_the_inputs() {
    let drawn = dag::graph::mermaid(&load(PIPELINE));
    assert!(
        drawn.starts_with("flowchart LR\n    stage_prepare[\"prepare<br/><i>prepare</i>\"]\n"),
        "{drawn}"
    );
    assert!(
        drawn.contains("    stage_teacher -->|model| stage_score\n"),
        "{drawn}"
    );
}

#[test]
fn dot_names_the_inputs() {
    let drawn = dag::graph::dot(&load(PIPELINE));
    assert!(
        drawn.contains("    \"prepare\" -> \"score\" [label=\"raw\"];\n"),
        "{drawn}"
    );
}

#[test]
fn the_schema_ties_params_to_their_kind() {
    let schema = dag::schema(KINDS);
    let conditions = &schema["definitions"]["stage"]["allOf"];
    assert_eq!(conditions[1]["if"]["properties"]["kind"]["const"], "fine_tune");
    assert_eq!(
        conditions[1]["then"]["properties"]["params"]["$ref"],
        "#/definitions/fine_tune.params"
    );
    let params = &schema["definitions"]["fine_tune.params"];
    assert_eq!(params["additionalProperties"], false);
    assert_eq!(
        params["properties"]["epochs"]["description"],
        "Passes over the data."
    );
    assert_eq!(
        params["properties"]["num_train_epochs"]["description"],
        "Another name for `epochs`."
    );
}

#[test]
fn every_reference_in_the_schema_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let schema = dag::schema(KINDS);
    let mut found = Vec::new();
    references(&schema, &mut found);
    assert!(
        found
            .iter()
            .any(|reference| reference == "#/definitions/fine_tune.EarlyStopping"),
        "{found:?}"
    );
    for reference in found {
        assert!(
            schema["definitions"]
                .get(reference.trim_start_matches("#/definitions/"))
                .is_some(),
            "{reference}"
        );
    }
}
