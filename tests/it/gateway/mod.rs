//! The socket, as a client sees it that trusts nothing.

mod catching_up;
mod following;
mod fuzz;
mod hostile;
mod limits;
mod nodes;
mod paging;
mod permissions;
mod presence;
mod repeating;
mod signing_in;
mod starting;
mod stopping;
