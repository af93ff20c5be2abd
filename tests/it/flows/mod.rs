//! Stories across doors.

mod crossing;
mod deletion;
mod delivery;
mod phone;
mod timers;
