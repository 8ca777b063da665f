//! The policy in the configuration of the machine.

use mlfetch::policy::{Groups, Pattern, Policy, Rule};
use toml::{Table, Value};

/// Reads `[policy]`; `file` is how messages call it. Rules for groups that the user of this process
/// is not in are left out, and all others keep their numbers.
pub(super) fn read(value: Value, file: &str) -> Result<Policy, String> {
    let Value::Table(mut table) = value else {
        return Err("`policy` must be a table, with rules as `[[policy.rules]]`".to_owned());
    };
    let contact = table.remove("contact").map(|value| text(value, "policy.contact")).transpose()?;
    let rules = match table.remove("rules") {
        Some(Value::Array(rules)) if !rules.is_empty() => rules,
        _ => return Err("`policy` must have rules as `[[policy.rules]]`".to_owned()),
    };
    nothing_else(&table, "policy")?;
    let mut policy = Policy::new(file).with_contact(contact);
    for (at, value) in rules.into_iter().enumerate() {
        let number = at + 1;
        let rule = rule(value, number).map_err(|why| format!("rule {number}: {why}"))?;
        if let Some(rule) = rule {
            policy = policy.with_rule(rule);
        }
    }
    Ok(policy)
}

/// `None` for a rule that does not hold for the user.
fn rule(value: Value, number: usize) -> Result<Option<Rule>, String> {
    let Value::Table(mut table) = value else { return Err("it must be a table".to_owned()) };
    let name = match table.remove("name") {
        None => format!("rule {number}"),
        Some(value) => format!("rule {number} ({})", text(value, "name")?),
    };
    let groups = table.remove("groups").map(|value| texts(value, "groups")).transpose()?;
    let rule = match (table.remove("allow"), table.remove("deny")) {
        (Some(allow), None) => Rule::allow(name, patterns(allow, "allow")?),
        (None, Some(deny)) => Rule::deny(name, patterns(deny, "deny")?),
        _ => return Err("it must have either `allow` or `deny`".to_owned()),
    };
    nothing_else(&table, "a rule")?;
    Ok(holds(groups.as_deref())?.then_some(rule))
}

/// Whether the user is in one of the groups; a rule without groups holds for everybody.
fn holds(groups: Option<&[String]>) -> Result<bool, String> {
    let Some(groups) = groups else { return Ok(true) };
    let of_machine = Groups::of_this_process()
        .map_err(|error| format!("the groups of this machine cannot be read: {error}"))?;
    let mut holds = false;
    for group in groups {
        holds |= of_machine.has(group).ok_or_else(|| {
            format!("this machine has no group `{group}`; one of a directory has its number")
        })?;
    }
    Ok(holds)
}

fn patterns(value: Value, name: &str) -> Result<Vec<Pattern>, String> {
    let parse = |text: &String| {
        text.parse().map_err(|error: mlfetch::policy::PatternError| error.to_string())
    };
    texts(value, name)?.iter().map(parse).collect()
}

fn texts(value: Value, name: &str) -> Result<Vec<String>, String> {
    match value.try_into::<Vec<String>>() {
        Ok(texts) if !texts.is_empty() => Ok(texts),
        _ => Err(format!("`{name}` must be a list of text, and not empty")),
    }
}

fn text(value: Value, name: &str) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(format!("`{name}` must be text")),
    }
}

fn nothing_else(table: &Table, what: &str) -> Result<(), String> {
    table.keys().next().map_or(Ok(()), |name| Err(format!("`{name}` is no setting of {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Policy {
        let mut table: Table = text.parse().expect("TOML");
        read(table.remove("policy").expect("a policy"), "/etc/x").expect("read")
    }

    #[test]
    fn rules_are_read_in_their_order_and_with_their_names() {
        let read = policy(
            "[policy]\ncontact = \"ml@example.com\"\n\
             [[policy.rules]]\nname = \"no payroll\"\ndeny = [\"s3://payroll\"]\n\
             [[policy.rules]]\nallow = [\"**\"]\n",
        );
        let expected = Policy::new("/etc/x")
            .with_contact("ml@example.com".to_owned())
            .with_rule(Rule::deny(
                "rule 1 (no payroll)",
                vec!["s3://payroll".parse().expect("a pattern")],
            ))
            .with_rule(Rule::allow("rule 2", vec!["**".parse().expect("a pattern")]));
        assert_eq!(read, expected);
    }

    #[test]
    fn a_rule_for_groups_holds_for_their_members_only() {
        let groups = Groups::of_this_process().expect("groups");
        let (mine, others): (Vec<u32>, Vec<u32>) =
            (0..200).partition(|id| groups.has(&id.to_string()) == Some(true));
        let with =
            |id: u32| policy(&format!("[[policy.rules]]\nallow = [\"**\"]\ngroups = [\"{id}\"]\n"));
        let empty = Policy::new("/etc/x");
        assert_eq!(with(others[0]), empty, "nothing is allowed to others");
        if let Some(mine) = mine.first() {
            let all = vec!["**".parse().expect("a pattern")];
            assert_eq!(with(*mine), empty.with_rule(Rule::allow("rule 1", all)));
        }
    }
}
