//! `…/Configuration/Addresses`.
