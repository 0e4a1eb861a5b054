//! The page before it is Markdown or HTML.

/// A page, block by block.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
}

#[derive(Debug)]
pub(super) enum Block {
    Heading(u8, &'static str),
    Paragraph(Vec<Span>),
    Numbered(Vec<Vec<Span>>),
    Table(Vec<&'static str>, Vec<Vec<Vec<Span>>>),
    /// Text as it is, and the name of its language.
    Code(&'static str, String),
}

#[derive(Debug)]
pub(super) enum Span {
    Words(String),
    Code(String),
}

impl Document {
    pub(super) fn heading(&mut self, text: &'static str) {
        self.blocks.push(Block::Heading(2, text));
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        self.blocks.push(Block::Paragraph(spans(text)));
    }
}

/// Words, with code between backticks.
pub(super) fn spans(text: &str) -> Vec<Span> {
    let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    parts
        .map(|(at, part)| if at % 2 == 0 { Span::Words(part.to_owned()) } else { Span::Code(part.to_owned()) })
        .collect()
}

pub(super) fn code(text: impl Into<String>) -> Vec<Span> {
    vec![Span::Code(text.into())]
}
