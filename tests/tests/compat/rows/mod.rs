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
