use std::borrow::Cow;

use http::HeaderName;

use crate::Builder;
use crate::webhook::signed::Template;
use crate::webhook::{FromBody, TimeFormat, Webhook};

/// What is signed.
impl<C, D> Builder<Webhook<C>, D>
where
    C: FromBody + Send + Sync + 'static,
{
    /// A template of the signed content, with the placeholders `{timestamp}`, `{id}` and `{body}`. Default: `{body}`.
    pub fn signed(mut self, template: impl AsRef<str>) -> Self {
        self.form.template = Template::parse(template.as_ref());
        self
    }

    /// The header with the time of the delivery, in the [`timestamp_format`](Self::timestamp_format). It must be
    /// signed. Default: none, and so no time check: a delivery may have any age.
    pub fn timestamp_header(mut self, name: HeaderName) -> Self {
        self.form.timestamp_header = Some(name);
        self
    }

    /// How the sender writes the time. Default: whole seconds since 1970.
    pub fn timestamp_format(mut self, format: TimeFormat) -> Self {
        self.form.time_format = format;
        self
    }

    /// The header with the delivery's id. It must be signed. Default: none.
    pub fn id_header(mut self, name: HeaderName) -> Self {
        self.form.id_header = Some(name);
        self
    }

    /// The content type, without parameters. Default: `application/json`.
    pub fn content_type(mut self, essence: impl Into<Cow<'static, str>>) -> Self {
        self.form.content_type = Some(essence.into());
        self
    }

    /// Takes any content type, or none.
    pub fn any_content_type(mut self) -> Self {
        self.form.content_type = None;
        self
    }
}
