//! The page as Markdown (CommonMark, with GitHub's tables).

use std::fmt::{Result, Write};

use super::document::{Block, Document, Span};

pub(super) fn write(document: &Document) -> String {
    let mut page = String::new();
    // A `String` takes any text.
    _ = write_all(document, &mut page);
    page
}

fn write_all(document: &Document, page: &mut String) -> Result {
    writeln!(page, "# {}", plain(&document.title))?;
    for block in &document.blocks {
        writeln!(page)?;
        match block {
            Block::Heading(level, text) => writeln!(page, "{} {}", "#".repeat(usize::from(*level)), plain(text))?,
            Block::Paragraph(spans) => writeln!(page, "{}", inline(spans))?,
            Block::Numbered(items) => {
                for (number, item) in items.iter().enumerate() {
                    writeln!(page, "{}. {}", number + 1, inline(item))?;
                }
            }
            Block::Table(head, rows) => {
                writeln!(page, "| {} |", head.join(" | "))?;
                writeln!(page, "|{}", "---|".repeat(head.len()))?;
                for row in rows {
                    let cells: Vec<_> = row.iter().map(|cell| inline(cell).replace('|', "\\|")).collect();
                    writeln!(page, "| {} |", cells.join(" | "))?;
                }
            }
            Block::Code(language, text) => {
                let fence = "`".repeat(longest_run(text).max(2) + 1);
                writeln!(page, "{fence}{language}\n{}\n{fence}", text.trim_end_matches('\n'))?;
            }
        }
    }
    Ok(())
}

fn inline(spans: &[Span]) -> String {
    let spans = spans.iter().map(|span| match span {
        Span::Words(words) => plain(words),
        Span::Code(code) => {
            let code = code.replace(['\n', '\r'], " ");
            let fence = "`".repeat(longest_run(&code) + 1);
            // A space that is stripped again (CommonMark, 6.1).
            let room = if code.starts_with('`') || code.ends_with('`') || code.trim().is_empty() { " " } else { "" };
            format!("{fence}{room}{code}{room}{fence}")
        }
    });
    spans.collect()
}

/// Words in which nothing is markup.
fn plain(words: &str) -> String {
    let mut escaped = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '\n' | '\r' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '&' | '~' => escaped.extend(['\\', letter]),
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or_default()
}
