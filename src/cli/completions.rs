//! `gclb completions`: scripts that make a shell complete our commands and flags.

use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  gclb completions bash > /etc/bash_completion.d/gclb
  gclb completions zsh > \"${fpath[1]}/_gclb\"
  gclb completions fish > ~/.config/fish/completions/gclb.fish";

/// What to complete for.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, command: &mut clap::Command) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, command, "gclb", &mut script);
    super::report::out(&String::from_utf8_lossy(&script));
    super::DONE
}
