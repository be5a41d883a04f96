//! `--grid KEY=V1,V2,…`: the values to try, and the points that they span.

use dag::{Override, OverrideOrigin};

/// Keys with the values to try for each, in the order of the arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) axes: Vec<Axis>,
}

/// A key with the values to try for it, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

/// One value for each key of a grid, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) settings: Vec<(String, String)>,
}

/// What is wrong with a `--grid`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum GridError {
    #[error("`--grid {0}` is not `KEY=V1,V2,…`; write e.g. `--grid stages.teacher.params.batch_size=16,32`")]
    NotAGrid(String),
    #[error("`--grid {argument}`: value {position} is empty; write `null` or `\"\"` for one")]
    EmptyValue { argument: String, position: usize },
    #[error("`--grid {argument}`: `{value}` is given twice")]
    RepeatedValue { argument: String, value: String },
    #[error("`--grid {0}`: a quote or bracket is not closed")]
    Unbalanced(String),
    #[error("two `--grid` for `{0}`; give all its values in one")]
    RepeatedKey(String),
}

impl Grid {
    /// Reads the arguments of all `--grid`.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, GridError> {
        let mut axes: Vec<Axis> = Vec::new();
        for argument in arguments {
            let axis = Axis::parse(argument)?;
            if axes.iter().any(|other| other.key == axis.key) {
                return Err(GridError::RepeatedKey(axis.key));
            }
            axes.push(axis);
        }
        Ok(Self { axes })
    }

    /// Every combination of values; the last key's change first. Without keys, the file as it is.
    pub(super) fn points(&self) -> Vec<Point> {
        let mut points = vec![Point { settings: Vec::new() }];
        for axis in &self.axes {
            let with = |point: &Point, value: &String| {
                let mut settings = point.settings.clone();
                settings.push((axis.key.clone(), value.clone()));
                Point { settings }
            };
            points = points
                .iter()
                .flat_map(|point| axis.values.iter().map(move |value| with(point, value)))
                .collect();
        }
        points
    }

    /// What people call the keys: their last part where it tells them apart, else all of it.
    pub(super) fn names(&self) -> Vec<&str> {
        self.axes.iter().map(|axis| self.name_of(axis)).collect()
    }

    fn name_of<'a>(&self, axis: &'a Axis) -> &'a str {
        let last = last_part(&axis.key);
        let alike = self
            .axes
            .iter()
            .filter(|other| last_part(&other.key) == last)
            .count();
        if alike > 1 { &axis.key } else { last }
    }

    /// `batch_size=16 learning_rate=2e-5`; without keys, `as it is`.
    pub(super) fn label(&self, point: &Point) -> String {
        let settings = self.names().into_iter().zip(&point.settings);
        let words: Vec<String> = settings
            .map(|(name, (_, value))| format!("{name}={value}"))
            .collect();
        if words.is_empty() {
            "as it is".to_owned()
        } else {
            words.join(" ")
        }
    }
}

impl Axis {
    fn parse(argument: &str) -> Result<Self, GridError> {
        let (key, list) = match argument.split_once('=') {
            Some((key, list)) if !key.trim().is_empty() => (key.trim(), list.trim()),
            _ => return Err(GridError::NotAGrid(argument.to_owned())),
        };
        let values = split(list).ok_or_else(|| GridError::Unbalanced(argument.to_owned()))?;
        // `[a, b]` alone is the list of values itself.
        let inner = match values.as_slice() {
            [only] => only.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')),
            _ => None,
        };
        let values = inner.map_or(Some(values.clone()), split);
        let values = values.ok_or_else(|| GridError::Unbalanced(argument.to_owned()))?;
        for (position, value) in values.iter().enumerate() {
            if value.is_empty() {
                return Err(GridError::EmptyValue {
                    argument: argument.to_owned(),
                    position: position + 1,
                });
            }
            if values[..position].contains(value) {
                return Err(GridError::RepeatedValue {
                    argument: argument.to_owned(),
                    value: value.clone(),
                });
            }
        }
        Ok(Self {
            key: key.to_owned(),
            values,
        })
    }
}

impl Point {
    /// In place of the pipeline file's values.
    pub(super) fn overrides(&self) -> Vec<Override> {
        let settings = self.settings.iter();
        settings.map(|(key, value)| setting(key, value)).collect()
    }

    /// `--set K=V --set K=V`, quoted for a shell where needed.
    pub(super) fn set_line(&self) -> String {
        let words = self
            .settings
            .iter()
            .map(|(key, value)| format!("--set {}", quoted(&format!("{key}={value}"))));
        words.collect::<Vec<_>>().join(" ")
    }
}

/// A value in place of the pipeline file's.
pub(super) fn setting(key: &str, value: &str) -> Override {
    Override {
        key: key.to_owned(),
        value: value.to_owned(),
        origin: OverrideOrigin::Set,
    }
}

/// The parts between commas that stand in no bracket and no quotes; none if one of those is not closed.
fn split(list: &str) -> Option<Vec<String>> {
    let (mut parts, mut part, mut open, mut quote) = (Vec::new(), String::new(), Vec::new(), None);
    for character in list.chars() {
        match (quote, character) {
            (Some(end), _) if character == end => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if at_scalar_start(&part) => quote = Some(character),
            (None, '[') => open.push(']'),
            (None, '{') => open.push('}'),
            (None, ']' | '}') if open.pop() != Some(character) => return None,
            (None, ',') if open.is_empty() => {
                parts.push(std::mem::take(&mut part).trim().to_owned());
                continue;
            }
            _ => {}
        }
        part.push(character);
    }
    parts.push(part.trim().to_owned());
    (open.is_empty() && quote.is_none()).then_some(parts)
}

/// Whether what follows `part` begins a scalar; within one, a quote is a letter (`it's`).
fn at_scalar_start(part: &str) -> bool {
    matches!(part.trim_end().chars().last(), None | Some('[' | '{' | ',' | ':'))
}

fn last_part(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_-./:=,@%+".contains(character);
    if word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(arguments: &[&str]) -> Result<Grid, GridError> {
        Grid::parse(
            &arguments
                .iter()
                .map(|argument| (*argument).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    fn values(list: &str) -> Vec<String> {
        grid(&[&format!("k={list}")]).unwrap().axes.remove(0).values
    }

    #[test]
    fn values_are_what_stands_between_commas() {
        assert_eq!(values("16, 32,2e-5"), ["16", "32", "2e-5"]);
        assert_eq!(values("none"), ["none"]);
    }

    #[test]
    fn commas_in_brackets_and_quotes_are_no_end_of_a_value() {
        assert_eq!(values("{a: 1, b: 2},{a: 3}"), ["{a: 1, b: 2}", "{a: 3}"]);
        assert_eq!(values("'a, b',c"), ["'a, b'", "c"]);
        assert_eq!(values("don't,do"), ["don't", "do"]);
    }

    #[test]
    fn a_list_is_the_list_of_values() {
        assert_eq!(values("[16, 32]"), ["16", "32"]);
        assert_eq!(values("[[a, b], [c]]"), ["[a, b]", "[c]"]);
        assert_eq!(values("[a, b],[c]"), ["[a, b]", "[c]"]);
    }

    #[test]
    fn points_are_every_combination_in_order() {
        let grid = grid(&["stages.t.params.a=1,2", "seed=7,8"]).unwrap();
        let labels: Vec<String> = grid.points().iter().map(|point| grid.label(point)).collect();
        assert_eq!(labels, ["a=1 seed=7", "a=1 seed=8", "a=2 seed=7", "a=2 seed=8"]);
    }

    #[test]
    fn keys_that_end_alike_keep_their_whole_name() {
        let grid = grid(&["stages.a.params.epochs=1", "stages.b.params.epochs=1", "seed=1"]).unwrap();
        assert_eq!(
            grid.names(),
            ["stages.a.params.epochs", "stages.b.params.epochs", "seed"]
        );
    }

    #[test]
    fn a_set_line_can_be_pasted_into_a_shell() {
        let grid = grid(&["a.b=./x", "c=[{d: it's}]"]).unwrap();
        assert_eq!(
            grid.points()[0].set_line(),
            r"--set a.b=./x --set 'c={d: it'\''s}'"
        );
    }

    #[test]
    fn what_is_wrong_with_a_grid_is_said() {
        let message = |arguments: &[&str]| grid(arguments).unwrap_err().to_string();
        assert!(message(&["epochs"]).starts_with("`--grid epochs` is not `KEY=V1,V2,…`"));
        assert!(message(&["k=1,,2"]).contains("value 2 is empty"));
        assert!(message(&["k="]).contains("value 1 is empty"));
        assert!(message(&["k=1,2,1"]).contains("`1` is given twice"));
        assert!(message(&["k=[1,2"]).contains("not closed"));
        assert!(message(&["k=1", "k=2"]).starts_with("two `--grid` for `k`"));
    }
}
