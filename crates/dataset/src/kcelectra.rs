//! The `clean()` of KcELECTRA's README, as published: of its two patterns the second, without emoji, is in force.
//!
//! Python's `\s` and `strip` take U+001C to U+001F for spaces, which Rust's do not.

use std::sync::LazyLock;

use regex::Regex;

const URL: &str =
    r"https?://(www\.)?[-a-zA-Z0-9@:%._+~#=]{1,256}\.[a-zA-Z0-9()]{1,6}\b([-a-zA-Z0-9()@:%_+.~#?&/=]*)";

#[expect(
    clippy::expect_used,
    reason = "the pattern is a constant, and a test compiles it"
)]
static URL_PATTERN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(URL).expect("the pattern is a constant, and the tests use it"));

/// Foreign characters to spaces, URLs away, three or more of one letter to two, one space between words.
pub(crate) fn clean(text: &str) -> String {
    let known = replace_foreign(text);
    let without_urls = URL_PATTERN.replace_all(&known, "");
    collapse_spaces(&collapse_repeats(without_urls.trim_matches(is_python_space)))
}

fn replace_foreign(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut in_foreign = false;
    for character in text.chars() {
        if is_known(character) {
            result.push(character);
        } else if !in_foreign {
            result.push(' ');
        }
        in_foreign = !is_known(character);
    }
    result
}

fn is_known(character: char) -> bool {
    matches!(character, '\0'..='\x7f' | 'ㄱ'..='ㅣ' | '가'..='힣' | '％' | '·' | '∼')
}

/// soynlp's `repeat_normalize(…, num_repeats=2)`: letters, digits and `_` only, so `!!!!` stays.
fn collapse_repeats(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut last = None;
    let mut run = 0;
    for character in text.chars() {
        run = if last == Some(character) { run + 1 } else { 1 };
        last = Some(character);
        if run <= 2 || !(character.is_alphanumeric() || character == '_') {
            result.push(character);
        }
    }
    result
}

fn collapse_spaces(text: &str) -> String {
    text.split(is_python_space)
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn is_python_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\x1c'..='\x1f')
}

#[cfg(test)]
mod tests {
    use super::clean;

    /// Pairs made with the published Python code (soynlp's pattern `(\w)\1{2,}`).
    #[test]
    fn agrees_with_the_published_function() {
        for (text, cleaned) in [
            ("ㅋㅋㅋㅋㅋ 진짜?!!!!", "ㅋㅋ 진짜?!!!!"),
            ("좋아요🥳🥳漢字 ok", "좋아요 ok"),
            ("보세요 https://www.example.com/a?b=c#d 링크", "보세요 링크"),
            ("http://a.co끝", "http://a.co끝"),
            ("http://a.co/x(1) 끝", "끝"),
            ("https://www.a", ""),
            ("http://aa.bbbbbbbb", "http://aa.bb"),
            ("http://x.y.zz!", "!"),
            ("＂전각＂ ５０％", "전각 ％"),
            ("하하하하하   하", "하하 하"),
            ("a\u{1c}\u{1d}b\u{1f}", "a b"),
            ("____x____", "__x__"),
            ("🥳", ""),
            ("", ""),
        ] {
            assert_eq!(clean(text), cleaned, "{text:?}");
        }
    }
}
