//! The page as HTML.

use std::fmt::{Result, Write};

use super::document::{Block, Document, Span};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
code,pre{font:14px/1.45 ui-monospace,monospace;background:#f3f3f3}\
code{padding:.1em .25em}\
pre{padding:1rem;overflow-x:auto}\
pre code{padding:0}\
table{border-collapse:collapse}\
th,td{border:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top}\
td code{overflow-wrap:anywhere}";

pub(super) fn write(document: &Document) -> String {
    let mut page = String::new();
    // A `String` takes any text.
    _ = write_all(document, &mut page);
    page
}

fn write_all(document: &Document, page: &mut String) -> Result {
    let title = escaped(&document.title);
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         <h1>{title}</h1>\n"
    )?;
    for block in &document.blocks {
        match block {
            Block::Heading(level, text) => writeln!(page, "<h{level}>{}</h{level}>", escaped(text))?,
            Block::Paragraph(spans) => writeln!(page, "<p>{}</p>", inline(spans))?,
            Block::Numbered(items) => {
                let items: String = items.iter().map(|item| format!("<li>{}</li>\n", inline(item))).collect();
                writeln!(page, "<ol>\n{items}</ol>")?;
            }
            Block::Table(head, rows) => {
                let cells = |tag: &str, cells: Vec<String>| -> String {
                    cells.into_iter().map(|cell| format!("<{tag}>{cell}</{tag}>")).collect()
                };
                writeln!(page, "<table>\n<tr>{}</tr>", cells("th", head.iter().map(|cell| escaped(cell)).collect()))?;
                for row in rows {
                    writeln!(page, "<tr>{}</tr>", cells("td", row.iter().map(|cell| inline(cell)).collect()))?;
                }
                writeln!(page, "</table>")?;
            }
            Block::Code(_, text) => {
                writeln!(page, "<pre><code>{}</code></pre>", escaped(text.trim_end_matches('\n')))?;
            }
        }
    }
    writeln!(page, "</html>")
}

fn inline(spans: &[Span]) -> String {
    let spans = spans.iter().map(|span| match span {
        Span::Words(words) => escaped(words),
        Span::Code(code) => format!("<code>{}</code>", escaped(code)),
    });
    spans.collect()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::document::{code, spans};

    #[test]
    fn everything_is_escaped() {
        let bad = "<script>\"'&";
        let mut document = Document { title: bad.to_owned(), blocks: Vec::new() };
        document.blocks.push(Block::Table(vec![bad], vec![vec![code(bad), spans(bad)]]));
        document.blocks.push(Block::Numbered(vec![spans(bad)]));
        document.blocks.extend([Block::Paragraph(spans(bad)), Block::Heading(2, bad)]);
        document.blocks.push(Block::Code("", bad.to_owned()));
        let page = write(&document);
        assert!(!page.contains(bad) && !page.contains("<script"), "{page}");
        assert_eq!(page.matches("&lt;script&gt;&quot;&#39;&amp;").count(), 9, "{page}");
    }
}
