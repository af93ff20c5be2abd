//! What lists take beyond the published contract: another order, words to search for, the number of all rows. Whoever
//! does not ask never sees any of it.

use super::form::Fields;
use super::params::{Param, boolean, short, word};
use crate::domain::conversations::{SortBy, Sorting};
use crate::domain::{Error, Invalid, Order, Search};

/// By what conversations are ordered.
pub const SORT_BY: Param = word("SortBy", &["last_message", "date_created"]);
/// Which end of the order comes first.
pub const ORDER: Param = word("Order", &["asc", "desc"]);
/// Words that all must occur.
pub const SEARCH: Param = short("Search", 256);
/// Whether `meta` tells how many rows all pages have.
pub const TOTAL: Param = boolean("Total");

/// A parameter as the URLs of a list's pages repeat it.
pub type Given = (&'static str, Option<String>);

/// Reads `Order`.
///
/// # Errors
/// 20422 for another word.
pub fn order(query: &mut Fields) -> Result<(Option<Order>, Given), Error> {
    let given = query.take_filled("Order");
    let order = match given.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None => None,
        Some("asc") => Some(Order::Ascending),
        Some("desc") => Some(Order::Descending),
        Some(_) => {
            return Err(Invalid::Parameter {
                name: "Order",
                wants: "asc or desc",
            }
            .into());
        }
    };
    Ok((order, ("Order", given)))
}

/// Reads `SortBy` and `Order`; the largest comes first unless the caller says otherwise.
///
/// # Errors
/// 20422 for other words.
pub fn sorting(query: &mut Fields, usual: SortBy) -> Result<(Sorting, [Given; 2]), Error> {
    let given = query.take_filled("SortBy");
    let by = match given.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None => usual,
        Some("last_message") => SortBy::LastMessage,
        Some("date_created") => SortBy::DateCreated,
        Some(_) => {
            return Err(Invalid::Parameter {
                name: "SortBy",
                wants: "last_message or date_created",
            }
            .into());
        }
    };
    let (order, given_order) = order(query)?;
    let order = order.unwrap_or(Order::Descending);
    Ok((Sorting { by, order }, [("SortBy", given), given_order]))
}

/// Reads `Search`.
///
/// # Errors
/// 20422 when it is too long.
pub fn search(query: &mut Fields) -> Result<(Option<Search>, Given), Error> {
    let given = query.take_filled("Search");
    let search = given.clone().map(Search::parse).transpose()?;
    Ok((search, ("Search", given)))
}

/// Reads `Total`.
///
/// # Errors
/// 20422 for another word than true or false.
pub fn total(query: &mut Fields) -> Result<(bool, Given), Error> {
    let total = query.take_bool("Total")?.unwrap_or(false);
    Ok((total, ("Total", total.then(|| "true".to_owned()))))
}
