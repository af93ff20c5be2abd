//! `…/Bindings`.
