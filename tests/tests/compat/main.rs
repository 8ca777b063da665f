//! The compatibility table: `mlfetch artifacts` beside MLflow's own `mlflow artifacts`, on the same
//! command lines, against the same stores. A case is called by its store and its command line.

mod case;
mod case_box;
mod difference;
mod judge;
mod page;
mod row;
mod rows;
mod store;
mod table;
mod words;

use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use store::StoreKind;
use table::Table;

fn main() {
    let arguments = Arguments::from_args();
    let table = Arc::new(Table::new());
    let mut trials = vec![
        plain("the_table_is_large_enough_and_no_row_is_in_it_twice", page::check_rows),
        plain("each_difference_is_in_the_table_and_in_the_documentation", page::check_differences),
        plain("command_lines_are_split_and_filled", words::check),
    ];
    trials.extend(rows::all().flat_map(|row| {
        let table = Arc::clone(&table);
        row.stores.iter().map(move |kind| {
            let (table, kind) = (Arc::clone(&table), *kind);
            let name = format!("{}: {}", kind.name(), row.name());
            Trial::test(name, move || Ok(case::check(&table, row, kind)?))
        })
    }));
    for kind in StoreKind::BUCKETS {
        trials.extend(rows::of_any_store().map(|row| {
            let table = Arc::clone(&table);
            let name = format!("{}: {}", kind.name(), row.name());
            Trial::test(name, move || Ok(case::check(&table, row, kind)?))
        }));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Ends MLflow's workers and removes the stores; `exit` would leave both.
    drop(Arc::into_inner(table));
    conclusion.exit();
}

fn plain(name: &str, check: fn()) -> Trial {
    Trial::test(name, move || {
        check();
        Ok(())
    })
}
