//! The commands of the program, as its help has them.

use std::collections::BTreeSet;
use std::process::Command;

use super::pages::Page;

/// A command of `gclb`.
pub(crate) struct CommandHelp {
    pub(crate) name: String,
    pub(crate) flags: BTreeSet<String>,
    pub(crate) variables: BTreeSet<String>,
}

/// Every command.
pub(crate) fn all() -> Vec<CommandHelp> {
    let overview = help(&[]);
    let listed = overview.text.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names: Vec<String> = Page { name: String::new(), text: listed.to_owned() }
        .captured(r"(?m)^  ([a-z]+) ")
        .into_iter()
        .filter(|name| name != "help")
        .collect();
    assert!(names.len() > 3, "only {names:?} were found");
    names.into_iter().map(one).collect()
}

fn one(name: String) -> CommandHelp {
    let help = help(&[&name]);
    let mut flags = help.captured(r"(?m)^ +(?:-\w, )?(--[a-z][a-z-]*)");
    flags.extend(help.captured(r"\[alias(?:es)?:\s+(--[a-z-]+)"));
    flags.remove("--help");
    flags.remove("--version");
    let variables = help.captured(r"\[env:\s+(\w+)=");
    CommandHelp { name, flags, variables }
}

fn help(command: &[&str]) -> Page {
    let output = Command::new(env!("CARGO_BIN_EXE_gclb")).args(command).arg("--help").output().unwrap();
    assert!(output.status.success(), "gclb {command:?} --help failed");
    Page {
        name: format!("the help of gclb {}", command.join(" ")),
        text: String::from_utf8(output.stdout).unwrap(),
    }
}
