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
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '~' => escaped.extend(['\\', letter]),
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::document::{code, spans};

    #[test]
    fn nothing_of_a_layers_names_is_markup() {
        let mut document = Document { title: "A*b* [c](d)\n# e <i>".to_owned(), blocks: Vec::new() };
        document.blocks.push(Block::Table(vec!["name"], vec![vec![code("a|b`c``d")], vec![code("`")]]));
        document.blocks.push(Block::Paragraph(spans("words, `code`, | and *")));
        document.blocks.push(Block::Code("", "```\n# not a heading\n````\n".to_owned()));
        assert_eq!(
            write(&document),
            "# A\\*b\\* \\[c\\](d) # e \\<i\\>\n\n| name |\n|---|\n| ```a\\|b`c``d``` |\n| `` ` `` |\n\nwords, `code`, | and \\*\n\n\
             `````\n```\n# not a heading\n````\n`````\n"
        );
    }
}
