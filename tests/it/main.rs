//! One test binary: one link, shared support.

mod architecture;
mod bus;
mod embedded;
mod flows;
mod gateway;
mod program;
mod rest;
mod store;
mod support;
mod tls;
