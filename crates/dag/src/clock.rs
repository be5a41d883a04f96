//! The time of day as text, in UTC. Nothing that is hashed may come from here.

use std::time::{SystemTime, UNIX_EPOCH};

/// `2026-11-21T10:03:00Z`.
pub(crate) fn timestamp() -> String {
    format_timestamp(seconds_since_epoch())
}

/// `20261121-100300`: sorts by time and is a good file name.
pub fn compact_timestamp() -> String {
    let text = format_timestamp(seconds_since_epoch());
    text.chars()
        .filter(|c| c.is_ascii_digit() || *c == 'T')
        .map(|c| if c == 'T' { '-' } else { c })
        .collect()
}

/// The time of `time` in the form of [`timestamp`].
pub(crate) fn timestamp_of(time: SystemTime) -> String {
    format_timestamp(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

fn seconds_since_epoch() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

fn format_timestamp(seconds: u64) -> String {
    let (year, month, day) = civil_date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Days since 1970-01-01 to year, month, day (<https://howardhinnant.github.io/date_algorithms.html#civil_from_days>).
fn civil_date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_have_their_dates() {
        assert_eq!(format_timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(format_timestamp(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(format_timestamp(1_795_255_380), "2026-11-21T10:03:00Z");
    }

    #[test]
    fn compact_timestamps_are_file_names() {
        assert_eq!(compact_timestamp().len(), "20261121-100300".len());
    }
}
