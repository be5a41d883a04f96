//! The params of `evaluate`.

use classification::{Gate, GateError, LabelSet, Task};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stage::{CheckContext, Problem, nearest};

/// The params of `evaluate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Conditions that fail the run (exit code 3) when they are not met: `student.macro_f1 >= 0.45`,
    /// `student.macro_f1 - teacher.macro_f1 >= 0 at 95%`, `student.macro_f1 >= student.macro_f1@production` (of the
    /// version of this stage that has the tag `production`).
    pub gates: Vec<String>,
    /// The model that the candidate is compared with. Absent: the first one.
    pub baseline: Option<String>,
    /// The model that is compared with the baseline. Absent: the last one.
    pub candidate: Option<String>,
    /// Number of resamples behind the intervals.
    #[schemars(range(min = 1, max = 100_000))]
    pub bootstrap: usize,
    /// Tokens per batch, padding included. Absent: what suits the device.
    #[schemars(range(min = 1))]
    pub batch_tokens: Option<usize>,
    /// Measure even where the models may have learnt from golden rows; the report then says "unguarded" on top.
    pub allow_unguarded: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            gates: Vec::new(),
            baseline: None,
            candidate: None,
            bootstrap: 1000,
            batch_tokens: None,
            allow_unguarded: false,
        }
    }
}

impl Params {
    /// Fills in the default baseline and candidate: the first and the last model.
    pub(crate) fn fill(&mut self, models: &[String]) {
        if models.len() > 1 {
            self.baseline = self.baseline.take().or_else(|| models.first().cloned());
            self.candidate = self.candidate.take().or_else(|| models.last().cloned());
        }
    }

    /// The gates, in their order.
    pub(crate) fn parsed_gates(
        &self,
        models: &[String],
        labels: &LabelSet,
        task: Task,
    ) -> Vec<Result<Gate, GateError>> {
        self.gates
            .iter()
            .map(|gate| Gate::parse(gate, models, labels, task))
            .collect()
    }
}

impl stage::Params for Params {
    fn check(&self, ctx: &CheckContext<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.bootstrap == 0 || self.bootstrap > 100_000 {
            problems.push(Problem::new(
                "bootstrap",
                format!("must be from 1 to 100000, not {}", self.bootstrap),
            ));
        }
        if self.batch_tokens == Some(0) {
            problems.push(Problem::new("batch_tokens", "must be at least 1"));
        }
        // That there is no model at all is said once, about the inputs.
        if ctx.other_inputs.is_empty() {
            return problems;
        }
        problems.extend(ctx.other_inputs.iter().filter_map(|name| unusable_name(name)));
        problems.extend(unknown_model("baseline", self.baseline.as_deref(), ctx));
        problems.extend(unknown_model("candidate", self.candidate.as_deref(), ctx));
        if problems.is_empty() {
            problems.extend(self.same_model(ctx));
        }
        let gates = self.parsed_gates(ctx.other_inputs, ctx.labels, ctx.task);
        problems.extend(
            gates
                .into_iter()
                .enumerate()
                .filter_map(|(index, gate)| Some(bad_gate(index, &gate.err()?))),
        );
        problems
    }
}

impl Params {
    fn same_model(&self, ctx: &CheckContext<'_>) -> Option<Problem> {
        let mut filled = self.clone();
        filled.fill(ctx.other_inputs);
        let same = filled.baseline.is_some() && filled.baseline == filled.candidate;
        let param = if self.candidate.is_some() {
            "candidate"
        } else {
            "baseline"
        };
        let name = filled.baseline.unwrap_or_default();
        same.then(|| {
            Problem::new(
                param,
                format!("`{name}` would be compared with itself; name another model"),
            )
        })
    }
}

/// The tags that the gates of resolved params name, each once.
pub(crate) fn tags(params: &Value) -> Vec<String> {
    let gates = params.get("gates").and_then(Value::as_array);
    let gates = gates.into_iter().flatten().filter_map(Value::as_str);
    let mut tags: Vec<String> = gates.flat_map(Gate::tags).collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// A model's name becomes a folder and a part of gates.
fn unusable_name(name: &str) -> Option<Problem> {
    let usable = name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let message =
        format!("a model cannot be called `{name}`: only letters, digits, `_` and `-` may stand in its name");
    (!usable).then(|| Problem::new("", message))
}

fn unknown_model(param: &str, name: Option<&str>, ctx: &CheckContext<'_>) -> Option<Problem> {
    let name = name.filter(|name| !ctx.other_inputs.iter().any(|model| model == name))?;
    let known = ctx.other_inputs.join(", ");
    let problem = Problem::new(param, format!("unknown model `{name}`; models are: {known}"));
    Some(suggest(problem, name, ctx.other_inputs))
}

fn bad_gate(index: usize, error: &GateError) -> Problem {
    let problem = Problem::new(&format!("gates.{index}"), error.to_string());
    match &error.unknown {
        Some(unknown) => suggest(problem, unknown, &error.known),
        None => problem.hint(
            "a gate is e.g. `student.macro_f1 >= 0.45`, `student.macro_f1 - teacher.macro_f1 >= 0 at 95%` or \
             `student.macro_f1 >= student.macro_f1@production`",
        ),
    }
}

fn suggest(problem: Problem, given: &str, known: &[String]) -> Problem {
    match nearest(given, known.iter().map(String::as_str)) {
        Some(close) => problem.hint(format!("did you mean `{close}`?")),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use serde_json::json;
    use stage::{Resolved, StageKind};

    use super::*;
    use crate::Evaluate;

    fn check(params: Value) -> Result<Resolved, Vec<Problem>> {
        let models = ["teacher".to_owned(), "student".to_owned()];
        let inputs: BTreeSet<String> = models.iter().cloned().chain(["golden".to_owned()]).collect();
        let labels = LabelSet::from_names(["분노", "기쁨"]).unwrap();
        let ctx = CheckContext {
            inputs: &inputs,
            other_inputs: &models,
            labels: &labels,
            task: Task::SingleLabel,
            precision: "auto",
            base_dir: Path::new("."),
        };
        Evaluate.check(&params, &ctx)
    }

    fn problem(params: Value) -> Problem {
        let mut problems = check(params).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems.remove(0)
    }

    #[test]
    fn first_and_last_model_are_compared_by_default() {
        let params = check(Value::Null).unwrap().params;
        assert_eq!(
            (&params["baseline"], &params["candidate"]),
            (&json!("teacher"), &json!("student"))
        );
    }

    #[test]
    fn resolved_params_are_params() {
        let params = check(json!({"gates": ["student.accuracy > 0"]})).unwrap().params;
        assert_eq!(check(params.clone()).unwrap().params, params);
    }

    #[test]
    fn a_gate_about_an_unknown_model_has_a_suggestion() {
        let problem = problem(json!({"gates": ["student.accuracy > 0", "studnet.accuracy > 0"]}));
        assert_eq!(problem.path, ["gates", "1"]);
        assert_eq!(problem.hint.as_deref(), Some("did you mean `student`?"));
    }

    #[test]
    fn a_gate_about_an_unknown_metric_has_a_suggestion() {
        let hint = problem(json!({"gates": ["student.macro_f > 0"]})).hint;
        assert_eq!(hint.as_deref(), Some("did you mean `macro_f1`?"));
    }

    #[test]
    fn tags_of_all_gates_are_known_to_the_engine() {
        let gates = json!({"gates": [
            "student.macro_f1 >= student.macro_f1@production",
            "student.accuracy > 0.5",
            "student.accuracy - student.accuracy@best >= student.accuracy@production - 1",
        ]});
        let params = check(gates).unwrap().params;
        assert_eq!(Evaluate.tags(&params), ["best", "production"]);
        assert!(Evaluate.tags(&Value::Null).is_empty());
    }

    #[test]
    fn every_bad_gate_is_reported() {
        assert_eq!(
            check(json!({"gates": ["student", "student.accuracy", "x.accuracy > 1"]}))
                .unwrap_err()
                .len(),
            3
        );
    }

    #[test]
    fn an_unknown_candidate_names_the_models() {
        let problem = problem(json!({"candidate": "pupil"}));
        assert_eq!(
            problem.message,
            "unknown model `pupil`; models are: teacher, student"
        );
    }

    #[test]
    fn a_model_is_not_compared_with_itself() {
        assert_eq!(problem(json!({"candidate": "teacher"})).path, ["candidate"]);
        assert_eq!(problem(json!({"baseline": "student"})).path, ["baseline"]);
    }

    #[test]
    fn no_resamples_are_refused() {
        assert_eq!(problem(json!({"bootstrap": 0})).path, ["bootstrap"]);
    }
}
