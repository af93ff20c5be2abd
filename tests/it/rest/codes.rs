//! The codes that the program can answer, as its source lists them.

use std::collections::BTreeSet;
use std::path::Path;

use regex::Regex;

/// All codes in the list of refusals.
pub fn all() -> BTreeSet<i64> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domain/errors");
    let code = Regex::new(r"published\(\d{3}, (\d{5})\)|=> (\d{5}),").expect("a pattern");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("the list of refusals") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a source file");
        for hit in code.captures_iter(&text) {
            let digits = hit
                .get(1)
                .or_else(|| hit.get(2))
                .expect("one of them")
                .as_str();
            found.insert(digits.parse().expect("a number"));
        }
    }
    assert!(found.len() > 80, "the list of refusals was found");
    found
}
