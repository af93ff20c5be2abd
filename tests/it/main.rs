//! One test binary: one link, shared support.

mod architecture;
mod flows;
mod store;
mod support;
