//! Numbers as people read them.

/// `512 B`, `1.5 KB`, `23 GB` (powers of 1000).
pub(crate) fn bytes(count: u64) -> String {
    let units = ["B", "KB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 || value >= 10.0 {
        format!("{value:.0} {}", units[unit])
    } else {
        format!("{value:.1} {}", units[unit])
    }
}

/// `4.2 s`, `3 min 20 s`, `1 h 5 min`.
pub(crate) fn seconds(value: f64) -> String {
    let whole = value.round() as u64;
    match whole {
        0..=9 => format!("{value:.1} s"),
        10..=99 => format!("{whole} s"),
        100..=3599 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_and_have_units() {
        assert_eq!(seconds(4.23), "4.2 s");
        assert_eq!(seconds(42.0), "42 s");
        assert_eq!(seconds(200.0), "3 min 20 s");
        assert_eq!(seconds(3900.0), "1 h 5 min");
    }

    #[test]
    fn sizes_have_two_digits_or_more() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(1536), "1.5 KB");
        assert_eq!(bytes(23_400_000_000), "23 GB");
    }
}
