//! Content templates: texts with gaps, kept once and sent often.
