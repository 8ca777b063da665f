//! The middle of several figures, and how far they lie apart.

use std::fmt;
use std::time::Duration;

/// Median, lowest and highest of the rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    /// `None` without a figure.
    pub(super) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Some(Self { median: f64::midpoint(low, high), min, max })
    }

    /// `3.11 s (3.02–3.30)`, or in milliseconds.
    pub(super) fn seconds(self) -> String {
        if self.median < 1.0 { self.show(1e3, 1, " ms") } else { self.show(1.0, 2, " s") }
    }

    /// `18.2 MiB (18.1–18.4)`.
    pub(super) fn mebibytes(self) -> String {
        self.show(1.0 / f64::from(1 << 20), 1, " MiB")
    }

    fn show(self, factor: f64, digits: usize, unit: &str) -> String {
        let [median, min, max] = [self.median, self.min, self.max].map(|figure| figure * factor);
        format!("{median:.digits$}{unit} ({min:.digits$}–{max:.digits$})")
    }
}

/// How many times as much as another.
pub(super) struct Ratio(Option<f64>);

impl Ratio {
    pub(super) fn of(figure: Option<f64>, other: Option<f64>) -> Self {
        Self(figure.zip(other.filter(|other| *other > 0.0)).map(|(figure, other)| figure / other))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => formatter.write_str("-"),
            Some(ratio) if ratio < 10.0 => write!(formatter, "{ratio:.2} ×"),
            Some(ratio) => write!(formatter, "{ratio:.1} ×"),
        }
    }
}

/// For a [`Spread`] of times.
pub(super) fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

/// For a [`Spread`] of sizes and counts, none of which is near 2^53.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_moves_the_maximum_and_not_the_median() {
        let spread = Spread::of([900.0, 2.0, 1.0, 3.0, 2.0]).expect("figures");
        assert_eq!(spread, Spread { median: 2.0, min: 1.0, max: 900.0 });
        assert_eq!(Spread::of([4.0, 1.0]).map(|spread| spread.median), Some(2.5));
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn all_three_have_the_unit_of_the_median() {
        let spread = Spread { median: 0.98, min: 0.5, max: 1.25 };
        assert_eq!(spread.seconds(), "980.0 ms (500.0–1250.0)");
        let spread = Spread { median: 3.0, min: 0.987, max: 3.25 };
        assert_eq!(spread.seconds(), "3.00 s (0.99–3.25)");
        let spread = Spread { median: 1_048_576.0, min: 0.0, max: 1_572_864.0 };
        assert_eq!(spread.mebibytes(), "1.0 MiB (0.0–1.5)");
    }

    #[test]
    fn small_ratios_have_two_digits() {
        assert_eq!(Ratio::of(Some(3.0), Some(2.0)).to_string(), "1.50 ×");
        assert_eq!(Ratio::of(Some(300.0), Some(2.0)).to_string(), "150.0 ×");
        assert_eq!(Ratio::of(None, Some(2.0)).to_string(), "-");
        assert_eq!(Ratio::of(Some(1.0), Some(0.0)).to_string(), "-");
    }
}
