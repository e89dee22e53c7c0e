//! Numbers as ranges, as receipts of what retention removed write them: `1-3 7`.

/// Ascending numbers as ranges.
pub fn ranges(numbers: &[u64]) -> String {
    let mut text = String::new();
    let mut rest = numbers;
    while let Some(&first) = rest.first() {
        let run = rest.iter().zip(first..).take_while(|(number, expected)| *number == expected).count();
        let space = if text.is_empty() { "" } else { " " };
        match run {
            1 => text += &format!("{space}{first}"),
            _ => text += &format!("{space}{first}-{}", rest[run - 1]),
        }
        rest = &rest[run..];
    }
    text
}

/// The first and last number of each range; none: it is not what [`ranges`] writes.
pub fn parse_ranges(text: &str) -> Option<Vec<(u64, u64)>> {
    let range = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    text.split(' ').map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_they_were_written() {
        for (numbers, text, read) in [
            (&[1, 2, 3, 7][..], "1-3 7", vec![(1, 3), (7, 7)]),
            (&[5], "5", vec![(5, 5)]),
            (&[1, 3, 4], "1 3-4", vec![(1, 1), (3, 4)]),
        ] {
            assert_eq!(ranges(numbers), text);
            assert_eq!(parse_ranges(text), Some(read));
        }
        assert_eq!(parse_ranges("x"), None);
        assert_eq!(parse_ranges(""), None);
    }
}
