//! The timestamp of MessagePack (extension -1) as text.

use std::fmt::Write;

const SECONDS_PER_DAY: i64 = 86_400;
const NANOS_PER_SECOND: u32 = 1_000_000_000;
/// The first and the last second of the years 1 to 9999, which RFC 3339 can write.
const WRITABLE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// The text of a timestamp as of RFC 3339 in UTC; nothing where the bytes are none, or a year has not four digits.
pub(crate) fn to_text(bytes: &[u8]) -> Option<String> {
    let (seconds, nanos) = match *bytes {
        [a, b, c, d] => (i64::from(u32::from_be_bytes([a, b, c, d])), 0),
        [_, _, _, _, _, _, _, _] => {
            let packed = u64::from_be_bytes(bytes.try_into().ok()?);
            (i64::try_from(packed & 0x3_ffff_ffff).ok()?, u32::try_from(packed >> 34).ok()?)
        }
        [a, b, c, d, ref seconds @ ..] => {
            (i64::from_be_bytes(seconds.try_into().ok()?), u32::from_be_bytes([a, b, c, d]))
        }
        _ => return None,
    };
    if !WRITABLE.contains(&seconds) || nanos >= NANOS_PER_SECOND {
        return None;
    }
    let (year, month, day) = date(seconds.div_euclid(SECONDS_PER_DAY));
    let second = seconds.rem_euclid(SECONDS_PER_DAY);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if nanos > 0 {
        let fraction = format!("{nanos:09}");
        write!(text, ".{}", fraction.trim_end_matches('0')).ok()?;
    }
    text.push('Z');
    Some(text)
}

/// The date of a day counted from 1970-01-01, in the Gregorian calendar. Years are counted from March, so that the
/// leap day is the last of them, in eras of 400 years, which are all equally long.
fn date(days: i64) -> (i64, i64, i64) {
    const DAYS_PER_ERA: i64 = 146_097;
    const DAYS_BEFORE_1970: i64 = 719_468;
    let shifted = days + DAYS_BEFORE_1970;
    let (era, day_of_era) = (shifted.div_euclid(DAYS_PER_ERA), shifted.rem_euclid(DAYS_PER_ERA));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::to_text;

    fn long(seconds: i64, nanos: u32) -> Option<String> {
        to_text(&[&nanos.to_be_bytes()[..], &seconds.to_be_bytes()[..]].concat())
    }

    #[test]
    fn a_timestamp_of_each_length_is_a_date() {
        assert_eq!(to_text(&[0, 0, 0, 0]).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(to_text(&1_709_210_096_u32.to_be_bytes()).as_deref(), Some("2024-02-29T12:34:56Z"));
        let packed = (500_000_000_u64 << 34) | 1_709_210_096;
        assert_eq!(to_text(&packed.to_be_bytes()).as_deref(), Some("2024-02-29T12:34:56.5Z"));
        assert_eq!(long(-1, 1).as_deref(), Some("1969-12-31T23:59:59.000000001Z"));
        assert_eq!(long(951_782_400, 0).as_deref(), Some("2000-02-29T00:00:00Z"));
        assert_eq!(long(4_107_542_400, 0).as_deref(), Some("2100-03-01T00:00:00Z"));
    }

    #[test]
    fn the_years_that_can_be_written_are_1_to_9999() {
        assert_eq!(long(-62_135_596_800, 0).as_deref(), Some("0001-01-01T00:00:00Z"));
        assert_eq!(long(253_402_300_799, 999_999_999).as_deref(), Some("9999-12-31T23:59:59.999999999Z"));
        for beyond in [long(-62_135_596_801, 0), long(253_402_300_800, 0), long(0, 1_000_000_000), to_text(&[1, 2])] {
            assert_eq!(beyond, None);
        }
    }
}
