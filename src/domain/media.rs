//! Media: files that messages carry.
