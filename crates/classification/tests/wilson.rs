//! Wilson's interval against that of statsmodels (`fixtures/make_wilson.py`).

use classification::wilson;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<(u64, u64, f64, f64)>,
}

#[test]
fn intervals_equal_those_of_statsmodels() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wilson.json");
    let fixture: Fixture = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(fixture.cases.len(), 200);
    for (successes, trials, low, high) in fixture.cases {
        let ours = wilson(successes, trials).unwrap();
        let close = |ours: f64, theirs: f64| (ours - theirs).abs() < 1e-12;
        assert!(
            close(ours.low, low) && close(ours.high, high),
            "{successes} of {trials}: {ours:?} is not [{low}, {high}]"
        );
    }
}
