//! Stories across doors.

mod deletion;
mod phone;
mod timers;
