//! The table, by topic.

mod destinations;
mod links;
mod lists;
mod missing;
mod models;
mod names;
mod odd_names;
mod paths;
mod stores;
mod uris;
mod usage;

use crate::row::Row;

/// Rows that mean the same whatever holds the artifacts, for stores that hold no directories and no
/// links of their own.
pub(crate) fn of_any_store() -> impl Iterator<Item = &'static Row> {
    [paths::ROWS, uris::ROWS, models::ROWS, destinations::ROWS, missing::ROWS, usage::ROWS]
        .into_iter()
        .flatten()
        .filter(|row| row.is_of_any_store())
}

/// Every row.
pub(crate) fn all() -> impl Iterator<Item = &'static Row> {
    [
        paths::ROWS,
        names::ROWS,
        odd_names::ROWS,
        uris::ROWS,
        models::ROWS,
        destinations::ROWS,
        missing::ROWS,
        links::ROWS,
        lists::ROWS,
        stores::ROWS,
        usage::ROWS,
    ]
    .into_iter()
    .flatten()
}
