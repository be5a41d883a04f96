//! Inspection: head, conditions, SQL, counts, statistics, and mistakes in words.

use std::ops::ControlFlow;

use dataset::inspect::{self, Inspector};
use dataset::{Cell, Column, Table};

use crate::Folder;

fn open(folder: &Folder) -> Inspector {
    let path = folder.path("t.parquet");
    let strings =
        |name: &str, values: [&str; 4]| Column::Str(name.into(), values.map(|v| Some(v.into())).into());
    let columns = vec![
        strings("text", ["하나", "둘둘", "셋", "넷넷넷"]),
        strings("pred_emotion", ["기쁨", "분노", "기쁨", "불안"]),
        Column::F32("pred_conf".into(), vec![0.5, 0.9, 0.7, 0.1]),
    ];
    dataset::write_columns(&path, columns).unwrap();
    inspect::open(&path, "t.parquet", None).unwrap()
}

fn lines(table: &Table) -> Vec<String> {
    table
        .rows
        .iter()
        .map(|row| row.iter().map(Cell::display).collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn rows_and_schema_are_known_without_reading() {
    let folder = Folder::new();
    let opened = open(&folder);
    assert_eq!(opened.rows().unwrap(), 4);
    let schema = opened.schema().unwrap();
    assert_eq!(
        schema
            .iter()
            .map(|column| column.dtype.as_str())
            .collect::<Vec<_>>(),
        ["string", "string", "f32"]
    );
}

#[test]
fn head_gives_the_first_rows() {
    let folder = Folder::new();
    assert_eq!(
        lines(&open(&folder).head(2).unwrap()),
        ["하나 기쁨 0.5000", "둘둘 분노 0.9000"]
    );
}

#[test]
fn a_condition_filters() {
    let folder = Folder::new();
    let found = open(&folder)
        .filter("pred_conf >= 0.5 AND pred_emotion = '기쁨'")
        .unwrap();
    assert_eq!(found.rows().unwrap(), 2);
    assert_eq!(
        lines(&found.all().unwrap()),
        ["하나 기쁨 0.5000", "셋 기쁨 0.7000"]
    );
}

#[test]
fn sql_answers_over_table_t() {
    let folder = Folder::new();
    let query =
        "SELECT pred_emotion, COUNT(*) AS n FROM t GROUP BY pred_emotion ORDER BY n DESC, pred_emotion";
    assert_eq!(
        lines(&open(&folder).sql(query).unwrap().all().unwrap()),
        ["기쁨 2", "분노 1", "불안 1"]
    );
}

#[test]
fn counts_come_with_shares_and_mean_confidence() {
    let folder = Folder::new();
    let table = open(&folder).by("pred_emotion").unwrap().all().unwrap();
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["pred_emotion", "rows", "share", "mean_pred_conf"]);
    assert_eq!(
        lines(&table),
        [
            "기쁨 2 0.5000 0.6000",
            "분노 1 0.2500 0.9000",
            "불안 1 0.2500 0.1000"
        ]
    );
}

#[test]
fn statistics_have_a_line_per_column() {
    let folder = Folder::new();
    let table = open(&folder).stats().unwrap();
    assert_eq!(
        lines(&table),
        [
            "text string 0 4    [1, 2, 2, 2, 3, 3] [넷넷넷 (1), 둘둘 (1), 셋 (1), 하나 (1)]",
            "pred_emotion string 0 3    [2, 2, 2, 2, 2, 2] [기쁨 (2), 분노 (1), 불안 (1)]",
            "pred_conf f32 0 4 0.1000 0.9000 0.5500  ",
        ]
    );
}

#[test]
fn an_unknown_column_is_shown_where_it_stands_with_the_nearest_and_all_others() {
    let folder = Folder::new();
    let opened = open(&folder);
    let errors = [
        (opened.filter("pred_cnf > 0.5"), "\n  | pred_cnf > 0.5\n  | ^"),
        (
            opened.sql("SELECT 기쁨, pred_cnf FROM t WHERE 기쁨 = '기쁨'"),
            "\n  | SELECT 기쁨, pred_cnf FROM t WHERE 기쁨 = '기쁨'\n  |        ^",
        ),
        (
            opened.sql("SELECT pred_cnf FROM t"),
            "\n  | SELECT pred_cnf FROM t\n  |        ^",
        ),
        (opened.by("pred_cnf"), ""),
    ];
    for (answer, place) in errors {
        let error = answer.err().unwrap();
        let (name, hint) = if error.to_string().contains("기쁨") {
            ("기쁨", "the columns are text, pred_emotion, pred_conf; strings")
        } else {
            (
                "pred_cnf",
                "did you mean `pred_conf`? the columns are text, pred_emotion, pred_conf",
            )
        };
        assert_eq!(error.to_string(), format!("no column `{name}`{place}"));
        assert!(error.hint().unwrap().starts_with(hint), "{:?}", error.hint());
    }
}

#[test]
fn a_mistake_in_a_query_is_shown_where_it_stands() {
    let folder = Folder::new();
    let opened = open(&folder);
    let sql = |query: &str| opened.sql(query).err().unwrap();
    let condition = |text: &str| opened.filter(text).err().unwrap();
    assert_eq!(
        sql("SELEC * FROM t").to_string(),
        "expected an SQL statement, found: SELEC\n  | SELEC * FROM t\n  | ^"
    );
    assert_eq!(
        sql("SELECT * FROM other").to_string(),
        "no table `other`\n  | SELECT * FROM other\n  |               ^"
    );
    assert_eq!(
        sql("SELECT * FROM other").hint().unwrap(),
        "the table is called `t`"
    );
    assert_eq!(
        sql("SELECT foo(text) FROM t").to_string(),
        "unsupported function 'foo'"
    );
    assert_eq!(
        condition("pred_conf >").to_string(),
        "expected an expression, found its end\n  | pred_conf >\n  |            ^"
    );
    assert_eq!(
        condition("text = '기쁨' ) AND pred_conf > 0").to_string(),
        "expected end of statement, found: )\n  | text = '기쁨' ) AND pred_conf > 0\n  |               ^"
    );
    let double_quotes = condition("pred_emotion = \"기쁨\"");
    assert!(double_quotes.hint().unwrap().contains("single quotes"));
    assert_eq!(condition("  ").to_string(), "the condition is empty");
}

#[test]
fn a_value_is_no_condition() {
    let folder = Folder::new();
    let error = open(&folder).filter("pred_conf").err().unwrap();
    assert_eq!(
        error.to_string(),
        "not a condition: `pred_conf` is a value of type f32"
    );
}

#[test]
fn a_query_reads_no_other_file() {
    let folder = Folder::new();
    let opened = open(&folder);
    let other = folder.path("t.parquet");
    let other = other.display();
    for query in [
        format!("SELECT * FROM read_parquet('{other}')"),
        format!("SELECT * FROM READ_PARQUET('{other}')"),
        format!("SELECT * FROM \"read_parquet\"('{other}')"),
        format!("SELECT * FROM t JOIN read_parquet('{other}') AS o ON t.text = o.text"),
        format!("WITH o AS (SELECT * FROM read_parquet('{other}')) SELECT * FROM o"),
        format!("SELECT * FROM t WHERE text IN (SELECT text FROM read_parquet('{other}'))"),
        format!("SELECT * FROM t UNION SELECT * FROM read_parquet('{other}')"),
        format!("SELECT * FROM (SELECT * FROM read_csv('{other}')) AS o"),
        format!("CREATE TABLE o AS SELECT * FROM read_parquet('{other}')"),
        format!("EXPLAIN SELECT * FROM read_parquet('{other}')"),
    ] {
        let error = opened.sql(&query).err().unwrap_or_else(|| panic!("{query}"));
        assert!(
            error.to_string().contains("reads the table `t` alone"),
            "{query}: {error}"
        );
    }
    let quoted = opened.sql(&format!("SELECT * FROM '{other}'")).err().unwrap();
    assert!(quoted.to_string().starts_with("no table"), "{quoted}");
    let condition = format!("text IN (SELECT text FROM read_parquet('{other}'))");
    let error = opened.filter(&condition).err().unwrap();
    assert!(error.to_string().contains("can hold no query"), "{error}");
}

#[test]
fn groups_without_an_order_come_in_the_order_of_their_values() {
    let folder = Folder::new();
    let opened = open(&folder);
    let query = "SELECT pred_emotion, COUNT(*) AS n FROM t GROUP BY pred_emotion";
    for _ in 0..5 {
        let table = opened.sql(query).unwrap().all().unwrap();
        assert_eq!(lines(&table), ["기쁨 2", "분노 1", "불안 1"]);
    }
}

/// Rows 0 to 199,999 in row groups of 65,536, with a list and a text.
fn long(folder: &Folder) -> Inspector {
    let path = folder.path("long.parquet");
    let rows = 0..200_000_u64;
    let columns = vec![
        Column::U64("n".into(), rows.clone().collect()),
        Column::Str(
            "text".into(),
            rows.clone().map(|n| Some(format!("문장 {n}"))).collect(),
        ),
        Column::ListF32("probs".into(), rows.map(|n| vec![n as f32, 0.5]).collect()),
    ];
    dataset::write_columns(&path, columns).unwrap();
    inspect::open(&path, "long.parquet", None).unwrap()
}

fn numbers(table: &Table) -> Vec<u64> {
    let number = |row: &Vec<Cell>| match row[0] {
        Cell::UInt(n) => n,
        _ => panic!("{row:?}"),
    };
    table.rows.iter().map(number).collect()
}

#[test]
fn a_sample_has_whole_rows_in_order_each_once_and_the_seed_decides_which() {
    let folder = Folder::new();
    let opened = long(&folder);
    let table = opened.sample(300, 7).unwrap();
    let drawn = numbers(&table);
    assert_eq!(drawn.len(), 300);
    assert!(drawn.is_sorted_by(|a, b| a < b), "{drawn:?}");
    for (row, n) in table.rows.iter().zip(&drawn) {
        assert_eq!(row[1], Cell::Text(format!("문장 {n}")));
        assert_eq!(row[2], Cell::List(vec![Cell::Float(*n as f64), Cell::Float(0.5)]));
    }
    assert_eq!(numbers(&opened.sample(300, 7).unwrap()), drawn);
    assert_ne!(numbers(&opened.sample(300, 8).unwrap()), drawn);
}

#[test]
fn a_sample_is_uniform() {
    let folder = Folder::new();
    let opened = long(&folder);
    let mut tenths = [0_u32; 10];
    for n in numbers(&opened.sample(20_000, 1).unwrap()) {
        tenths[(n / 20_000) as usize] += 1;
    }
    // Chi squared with 9 degrees of freedom exceeds 27.9 once in a thousand.
    let chi: f64 = tenths
        .iter()
        .map(|count| (f64::from(*count) - 2000.0).powi(2) / 2000.0)
        .sum();
    assert!(chi < 27.9, "{tenths:?}");
}

#[test]
fn a_sample_of_a_condition_holds_it() {
    let folder = Folder::new();
    let opened = long(&folder).filter("n % 3 = 1 AND n >= 60000").unwrap();
    let drawn = numbers(&opened.sample(50, 3).unwrap());
    assert_eq!(drawn.len(), 50);
    assert!(drawn.iter().all(|n| n % 3 == 1 && *n >= 60_000), "{drawn:?}");
    let few = long(&folder).filter("n < 4").unwrap();
    assert_eq!(numbers(&few.sample(50, 3).unwrap()), [0, 1, 2, 3]);
    assert!(few.filter("n > 9").unwrap().sample(5, 3).unwrap().rows.is_empty());
}

#[test]
fn text_tables_can_be_sampled() {
    let folder = Folder::new();
    folder.file("a.csv", "n,text\n1,하나\n2,둘\n3,셋\n");
    let opened = inspect::open(&folder.path("a.csv"), "a.csv", None).unwrap();
    assert_eq!(opened.sample(2, 1).unwrap().rows.len(), 2);
    let found = opened.filter("n > 2").unwrap().sample(2, 1).unwrap();
    assert_eq!(lines(&found), ["3 셋"]);
}

#[test]
fn all_rows_come_in_order_a_part_at_a_time_until_enough() {
    let folder = Folder::new();
    let opened = long(&folder);
    let mut seen = Vec::new();
    let mut parts = 0;
    opened
        .each(None, &mut |part| {
            parts += 1;
            seen.extend(numbers(&part));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, (0..200_000).collect::<Vec<_>>());
    assert!(parts > 20, "{parts}");
    let mut count = 0;
    opened
        .each(Some(10), &mut |part| {
            count += part.rows.len();
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(count, 10);
    let mut parts = 0;
    opened
        .each(None, &mut |_| {
            parts += 1;
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(parts, 1);
}

#[test]
fn a_table_without_rows_has_columns_and_answers() {
    let folder = Folder::new();
    let path = folder.path("none.parquet");
    let columns = vec![
        Column::Str("text".into(), Vec::new()),
        Column::F32("pred_conf".into(), Vec::new()),
        Column::ListF32("probs".into(), Vec::new()),
    ];
    dataset::write_columns(&path, columns).unwrap();
    let opened = inspect::open(&path, "none.parquet", None).unwrap();
    assert_eq!(opened.rows().unwrap(), 0);
    assert_eq!(opened.head(5).unwrap().columns.len(), 3);
    assert!(opened.sample(5, 1).unwrap().rows.is_empty());
    assert!(opened.by("text").unwrap().all().unwrap().rows.is_empty());
    assert_eq!(opened.stats().unwrap().rows.len(), 3);
    assert_eq!(
        lines(&opened.sql("SELECT COUNT(*) FROM t").unwrap().all().unwrap()),
        ["0"]
    );
    let mut columns = 0;
    opened
        .each(None, &mut |part| {
            columns = part.columns.len();
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(columns, 3);
}

#[test]
fn tables_can_be_asked_together() {
    let folder = Folder::new();
    let one = open(&folder);
    let other = one.filter("pred_conf > 0.6").unwrap();
    let query = "SELECT text FROM a WHERE text NOT IN (SELECT text FROM b) ORDER BY text";
    let answer = inspect::sql(&[("a", &one), ("b", &other)], query).unwrap();
    assert_eq!(lines(&answer.all().unwrap()), ["넷넷넷", "하나"]);
}

#[test]
fn text_files_are_tables_with_all_their_columns() {
    let folder = Folder::new();
    folder.file("a.csv", "code,n,x,text\n007,1,0.5,하나\n010,,1.5,둘\n");
    let opened = inspect::open(&folder.path("a.csv"), "a.csv", None).unwrap();
    let types: Vec<String> = opened
        .schema()
        .unwrap()
        .into_iter()
        .map(|column| column.dtype)
        .collect();
    assert_eq!(types, ["string", "i64", "f64", "string"]);
    assert_eq!(
        lines(&opened.all().unwrap()),
        ["007 1 0.5000 하나", "010  1.5000 둘"]
    );
    folder.file("a.jsonl", "{\"a\": 1, \"b\": true}\n{\"a\": 2.5, \"c\": [1]}\n");
    let opened = inspect::open(&folder.path("a.jsonl"), "a.jsonl", None).unwrap();
    assert_eq!(lines(&opened.all().unwrap()), ["1.0000 true ", "2.5000  [1]"]);
}
