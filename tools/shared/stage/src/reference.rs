//! A tool's flags as a Markdown page, made from the parser, so that the page cannot be wrong.

use std::fmt::Write as _;

use clap::{Arg, Command};

/// The reference page of a tool.
#[must_use]
pub fn page(command: &Command) -> String {
    let mut page = String::new();
    let name = command.get_name();
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string);
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(page, "# {name}\n\n<!-- Generated from the parser; do not edit. -->\n");
    let _ = writeln!(page, "{}\n", about.unwrap_or_default());
    let mut command = command.clone();
    let _ = writeln!(page, "```text\n{}\n```\n", command.render_usage());
    section(&mut page, &command);
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(page, "## {name} {}\n\n{about}\n", sub.get_name());
        section(&mut page, sub);
    }
    if let Some(after) = command.get_after_help() {
        let _ = writeln!(page, "## Examples and exit status\n\n```text\n{after}\n```");
    }
    page
}

/// What is wrong with the flags of a tool and of its commands: each needs help, and an environment
/// variable unless it is a one-off action.
#[must_use]
pub fn faults(command: &Command) -> Vec<String> {
    let name = command.get_name();
    let mut faults = Vec::new();
    if command.get_about().is_none() {
        faults.push(format!("`{name}` does not say what it is"));
    }
    for arg in command.get_arguments() {
        let id = arg.get_id();
        if arg.get_help().is_none() {
            faults.push(format!("`{id}` of `{name}` has no help"));
        }
        let action = matches!(id.as_str(), "help" | "version" | "completions" | "man");
        let setting = !arg.is_positional() && !action;
        let named = arg.get_env().and_then(|name| name.to_str()).unwrap_or_default();
        if setting && !(named.starts_with("PROVENANCE_") || named == "KUBECONFIG") {
            faults.push(format!("`{id}` of `{name}` has no PROVENANCE_ variable"));
        }
    }
    faults.extend(command.get_subcommands().flat_map(self::faults));
    faults
}

fn section(page: &mut String, command: &Command) {
    let shown: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version"))
        .collect();
    if shown.is_empty() {
        return;
    }
    let _ = writeln!(page, "| flag | variable | default | meaning |\n|---|---|---|---|");
    for arg in shown {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} |",
            flag(arg),
            code(arg.get_env().and_then(|name| name.to_str()).unwrap_or_default()),
            code(&defaults(arg)),
            // A page shows what the terminal shows, placeholders in angle brackets too.
            cell(&meaning(arg)).replace('<', "&lt;"),
        );
    }
    page.push('\n');
}

fn flag(arg: &Arg) -> String {
    let values: Vec<String> =
        arg.get_value_names().unwrap_or_default().iter().map(|name| name.to_string()).collect();
    let value = if arg.get_action().takes_values() { values.join(" ") } else { String::new() };
    let short = arg.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    match arg.get_long() {
        Some(long) => code(format!("{short}--{long} {value}").trim_end()),
        None => code(&format!("[{value}]")),
    }
}

fn defaults(arg: &Arg) -> String {
    if !arg.get_action().takes_values() {
        return String::new();
    }
    let values: Vec<_> = arg.get_default_values().iter().filter_map(|v| v.to_str()).collect();
    values.join(",")
}

fn meaning(arg: &Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let words: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if words.is_empty() || !arg.get_action().takes_values() {
        help
    } else {
        format!("{help} ({})", words.join(", "))
    }
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", cell(text)) }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_commands_are_looked_at_too() {
        let flag = Arg::new("format").long("format");
        let whole = flag.clone().env("PROVENANCE_FORMAT").help("As this");
        let tool = |inner: Arg| {
            let command = Command::new("list").about("List").arg(inner);
            Command::new("pc-x").about("Does x").arg(whole.clone()).subcommand(command)
        };
        assert_eq!(faults(&tool(whole.clone())), Vec::<String>::new());
        assert_eq!(
            faults(&tool(flag)),
            ["`format` of `list` has no help", "`format` of `list` has no PROVENANCE_ variable"]
        );
    }
}
