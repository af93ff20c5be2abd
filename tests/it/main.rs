//! One test binary: one link, shared support.

mod architecture;
mod embedded;
mod flows;
mod gateway;
mod rest;
mod store;
mod support;
