//! Layers of settings, one over the other: every value has the type of its default.

use toml::{Table, Value};

use super::{FILE, PREFIX};

/// What the examples and the tests call their own settings: none of the server's business.
const OF_OTHERS: &[&str] = &[
    "CONVOKE_URL",
    "CONVOKE_BIN",
    "CONVOKE_CHROMIUM",
    "CONVOKE_SPEC_DIR",
    "CONVOKE_FUZZ_SEED",
    "CONVOKE_TEST_HOLD",
];

/// Puts a file's values over the defaults. A key without a default is unknown.
pub(super) fn merge(defaults: &mut Table, wanted: Table, at: &str, complaints: &mut Vec<String>) {
    for (key, value) in wanted {
        match (defaults.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(wanted)) => {
                merge(inner, wanted, &format!("{at}{key}."), complaints);
            }
            (Some(default), value) if default.same_type(&value) => *default = value,
            (Some(default), _) => complaints.push(format!("{at}{key}: must be {}", kind(default))),
            (None, _) => complaints.push(format!("{at}{key}: unknown")),
        }
    }
}

/// Puts the environment's values over the others.
pub(super) fn override_from(
    environment: &[(String, String)],
    table: &mut Table,
    at: &str,
    complaints: &mut Vec<String>,
) {
    for (key, value) in table.iter_mut() {
        let name = format!("{at}_{}", key.to_uppercase());
        if let Value::Table(inner) = value {
            override_from(environment, inner, &name, complaints);
            continue;
        }
        let Some((_, text)) = environment.iter().find(|(variable, _)| *variable == name) else {
            continue;
        };
        match read_as(value, text) {
            Some(read) => *value = read,
            None => complaints.push(format!("{name}: must be {}", kind(value))),
        }
    }
}

/// Reads a text as a value of the same type.
fn read_as(like: &Value, text: &str) -> Option<Value> {
    Some(match like {
        Value::Integer(_) => Value::Integer(text.parse().ok()?),
        Value::Float(_) => Value::Float(text.parse().ok()?),
        Value::Boolean(_) => Value::Boolean(text.parse().ok()?),
        Value::Array(_) => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
        }
        Value::String(_) | Value::Datetime(_) | Value::Table(_) => Value::String(text.to_owned()),
    })
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
        Value::String(_) | Value::Datetime(_) => "a text",
    }
}

/// Every value with its path.
pub(super) fn leaves(table: &Table, at: Vec<String>) -> Vec<(Vec<String>, Value)> {
    table
        .iter()
        .flat_map(|(key, value)| {
            let mut path = at.clone();
            path.push(key.clone());
            match value {
                Value::Table(inner) => leaves(inner, path),
                value => vec![(path, value.clone())],
            }
        })
        .collect()
}

pub(super) fn set(table: &mut Table, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    match table.get_mut(first) {
        Some(Value::Table(inner)) if !rest.is_empty() => set(inner, rest, value),
        _ => {
            table.insert(first.clone(), value);
        }
    }
}

/// Which of these names begin as settings do and name none.
pub(super) fn strangers(names: impl Iterator<Item = String>, defaults: &Table) -> Vec<String> {
    let known: Vec<String> = leaves(defaults, Vec::new())
        .into_iter()
        .map(|(path, _)| format!("{PREFIX}_{}", path.join("_").to_uppercase()))
        .collect();
    let mut strangers: Vec<String> = names
        .filter(|name| name.starts_with(PREFIX) && name != FILE && !known.contains(name))
        .filter(|name| !OF_OTHERS.contains(&name.as_str()))
        .collect();
    strangers.sort();
    strangers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_names_are_found() {
        let defaults = super::super::DEFAULTS.parse().expect("the defaults");
        let names = [
            "CONVOKE_LISTEN",
            "CONVOKE_LISTN",
            "CONVOKE_CONFIG",
            "CONVOKE_URL",
            "CONVOKE_BIN",
            "CONVOKE_GATEWAY_PING_SECONDS",
            "PATH",
        ];
        let found = strangers(names.map(str::to_owned).into_iter(), &defaults);
        assert_eq!(found, ["CONVOKE_LISTN"]);
    }
}
