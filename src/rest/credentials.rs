//! `…/Credentials`.
