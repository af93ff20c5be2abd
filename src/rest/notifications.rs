//! `…/Configuration/Notifications`.
