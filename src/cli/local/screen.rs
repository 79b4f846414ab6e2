//! What `gclb local` prints: lines that stay, and below them, on a terminal, a block that is drawn again and again.
//!
//! Where the output is not a terminal, nothing is ever taken back: the block is printed when it says something new.

use crate::cli::report::{colours, out};
use crate::plan::Colours;

/// The output.
pub(super) struct Screen {
    live: bool,
    colours: Colours,
    /// How many rows of the terminal the block takes up.
    drawn: usize,
    /// What was printed last of each part of the block, where it is not drawn again.
    printed: [String; 2],
}

/// What is shown below the lines.
pub(super) struct Block {
    /// The Ingresses.
    pub(super) table: String,
    /// What the table says, without what changes by time alone.
    pub(super) gist: String,
    /// What to try.
    pub(super) hints: String,
}

impl Screen {
    /// `live` asks for the redrawn block; it is had on a terminal only.
    pub(super) fn new(live: bool) -> Self {
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
        Self { live: live && terminal, colours: colours(), drawn: 0, printed: [const { String::new() }; 2] }
    }

    /// Whether the block should be shown again as time passes.
    pub(super) const fn is_live(&self) -> bool {
        self.live
    }

    pub(super) const fn colours(&self) -> Colours {
        self.colours
    }

    /// Prints lines that stay, and shows the block as it is now.
    pub(super) fn show(&mut self, lines: &[String], block: &Block) {
        let Block { table, gist, hints } = block;
        let mut text = String::new();
        if self.live {
            text.push_str(&self.erase());
        }
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        let whole = format!("\n{table}{hints}");
        if self.live && fits(&whole) {
            text.push_str(&whole);
            self.drawn = rows(&whole);
        } else {
            let [printed_gist, printed_hints] = &mut self.printed;
            if gist != printed_gist {
                gist.clone_into(printed_gist);
                text = format!("{text}\n{table}\n");
            }
            if hints != printed_hints {
                hints.clone_into(printed_hints);
                text = format!("{text}{}\n", hints.trim_start());
            }
        }
        out(&text);
    }

    /// Leaves the block as it stands: what follows comes below.
    pub(super) fn leave(&mut self) {
        self.drawn = 0;
    }

    /// Takes the block away.
    fn erase(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            // Up to its first row, and clear from there on.
            rows => format!("\x1b[{rows}A\r\x1b[J"),
        }
    }
}

fn fits(block: &str) -> bool {
    terminal_size::terminal_size().is_none_or(|(_, height)| rows(block) + 1 < usize::from(height.0))
}

/// Rows of the terminal, where long lines take several.
fn rows(block: &str) -> usize {
    let width = terminal_size::terminal_size().map_or(usize::MAX, |(width, _)| usize::from(width.0).max(1));
    block.lines().map(|line| line.chars().count().max(1).div_ceil(width)).sum()
}
