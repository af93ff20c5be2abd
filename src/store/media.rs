//! Media: what is known of the files in the object store.
