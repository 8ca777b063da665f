//! Tables in Markdown whose columns also line up at a terminal.

use std::fmt::Write as _;

/// Rows under a head; every row has as many cells as the head.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { rows: vec![head.map(str::to_owned).to_vec()] }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: &[String; N]) {
        self.rows.push(cells.to_vec());
    }

    /// The table as Markdown, without a line break at its end.
    pub(crate) fn markdown(&self) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            let _ = writeln!(text, "| {} |", cells.collect::<Vec<_>>().join(" | "));
            if index == 0 {
                let rules = widths.iter().map(|width| "-".repeat(*width));
                let _ = writeln!(text, "|-{}-|", rules.collect::<Vec<_>>().join("-|-"));
            }
        }
        text.trim_end().to_owned()
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.first().map_or(0, Vec::len);
        (0..columns)
            .map(|column| {
                self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["what", "n"]);
        table.row(&["a long name".to_owned(), "1".to_owned()]);
        table.row(&["Ω".to_owned(), "22".to_owned()]);
        assert_eq!(
            table.markdown(),
            "| what        | n  |\n|-------------|----|\n| a long name | 1  |\n| Ω           | 22 |"
        );
    }
}
