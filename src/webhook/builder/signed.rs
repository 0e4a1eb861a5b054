use std::borrow::Cow;
use std::time::Duration;

use http::HeaderName;

use crate::Builder;
use crate::scheme::Origin;
use crate::webhook::listed::Listed;
use crate::webhook::signed::Template;
use crate::webhook::{FromBody, TimeFormat, Webhook};

/// What is signed.
impl<C, D> Builder<Webhook<C>, D>
where
    C: FromBody + Send + Sync + 'static,
{
    /// A template of the signed content. Default: `{body}`.
    ///
    /// | placeholder | stands for |
    /// |---|---|
    /// | `{body}` | the body as received |
    /// | `{body:sha256}` | its SHA-256, in hexadecimal of lower case |
    /// | `{body:crc32}` | its CRC-32, in decimal: in [`danger_signed`](Self::danger_signed) alone |
    /// | `{form}` | up to 1,000 names and values of a form, decoded and sorted by name, nothing between them |
    /// | `{timestamp}` | the value of the [`timestamp_header`](Self::timestamp_header), or of the list's element |
    /// | `{id}` | the value of the [`id_header`](Self::id_header) |
    /// | `{method}` | the method |
    /// | `{url}` | the [`origin`](Self::origin), and path and query [as the client sent them](crate::received) |
    /// | `{path}`, `{query}` | its path alone, perhaps [below the app's](Self::path_below); its query alone |
    /// | `{uri:encoded}` | path and query as JavaScript's `encodeURI` writes them, the query escaped once more before |
    /// | `{headers}` | the [`signed_headers`](Self::signed_headers): `name:value`, sorted, with `;` between them |
    ///
    /// A text that can be cut into its parts in two ways does not build: whoever has recorded a delivery could move
    /// what is in one part to another. A part is safe in front of a character that it cannot hold. A URL or a path may
    /// stand right beside the body: the body must then be an object or a list of JSON, or is `malformed`.
    ///
    /// ```
    /// use tower_sso::{scheme::Origin, webhook};
    ///
    /// let layer = webhook::layer::<serde_json::Value>()
    ///     .signed("{method}\n{url}\n{body}")
    ///     .origin(Origin::new("https://app.example"));
    /// ```
    pub fn signed(mut self, template: impl AsRef<str>) -> Self {
        self.form.template = Template::parse(template.as_ref());
        self.form.cut_is_free = false;
        self
    }

    /// As [`signed`](Self::signed), also if the text can be cut in two ways, or holds the body's CRC-32. **Whoever
    /// holds back a delivery can send another one with the same signature instead**, in which characters have moved
    /// from the end of one part to the beginning of the next, such as from a field's value to another field's name.
    /// Where `{body:crc32}` is all of the body, it can be any body: four bytes give a text any CRC-32. For senders who
    /// leave no choice.
    pub fn danger_signed(mut self, template: impl AsRef<str>) -> Self {
        self.form.template = Template::parse(template.as_ref());
        self.form.cut_is_free = true;
        self
    }

    /// The public scheme and host of the signed URL. Default: none, and a template with `{url}` does not build.
    pub fn origin(mut self, origin: Origin) -> Self {
        self.form.reading.origin = Some(origin);
        self
    }

    /// Accepts a signature over the URL with a port or without one: for senders who write the scheme's own port in some
    /// URLs, or leave another one out. Only the signature tells which it was. Default: as in the
    /// [`origin`](Self::origin), without the scheme's own port.
    pub fn url_with_or_without_port(mut self) -> Self {
        self.form.reading.any_port = true;
        self
    }

    /// Accepts a signature over the URL with the escapes of these characters decoded, or as sent: for senders who
    /// decode some of them before they sign. **Whether such a character was escaped is then not signed.** They are
    /// characters of a URI, or any of `` "<>` ``: others do not build. Default: none.
    pub fn url_decoded(mut self, characters: &'static str) -> Self {
        self.form.reading.decoded = characters;
        self
    }

    /// The path of the app's own address, for senders who sign only what comes behind it: `/app` for a `{path}` that is
    /// `/hook` where the client sent `/app/hook`. Another path is `malformed`. Default: none, the whole path is signed.
    pub fn path_below(mut self, base: impl Into<Cow<'static, str>>) -> Self {
        self.form.reading.base_path = base.into();
        self
    }

    /// The query parameter with the hexadecimal SHA-256 of the body, in a signed URL. If it is there, it must be
    /// right. It must be there if nothing else signs the body, and be the last parameter, where senders append it: so
    /// nothing that was signed behind it is taken for the query. Otherwise: `malformed`. Default: none.
    pub fn body_digest_parameter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.reading.body_digest = Some(name.into());
        self
    }

    /// The header with the time of the delivery, in the [`timestamp_format`](Self::timestamp_format). It must be
    /// signed. Default: none, and so no time check: a delivery may have any age.
    pub fn timestamp_header(mut self, name: HeaderName) -> Self {
        self.form.timestamp_header = Some(name);
        self
    }

    /// The field of the body's JSON object with the time of the delivery, as text or a number in the
    /// [`timestamp_format`](Self::timestamp_format). A name that begins with `/` is a pointer (RFC 6901). It is read
    /// once the signature is right. An authentic delivery without it is `rejected_claims`. Default: none.
    ///
    /// ```
    /// use tower_sso::webhook::{self, TimeFormat};
    ///
    /// // {"webhookTimestamp": 1700000000000, …}
    /// let layer = webhook::layer::<serde_json::Value>()
    ///     .timestamp_field("webhookTimestamp")
    ///     .timestamp_format(TimeFormat::Milliseconds);
    /// ```
    pub fn timestamp_field(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.form.timestamp_field = Some(name.into());
        self
    }

    /// How the sender writes the time. Default: whole seconds since 1970.
    pub fn timestamp_format(mut self, format: TimeFormat) -> Self {
        self.form.time_format = format;
        self
    }

    /// The time is when the delivery ends, and not when it was made. It may be `longest` ahead, at most 31 days; until
    /// it comes so near, the delivery is `not_yet_valid`. [`clock_skew`](Self::clock_skew) is added on either side, and
    /// [`max_age`](Self::max_age) does not count. Default: the time is when the delivery was made.
    ///
    /// Take the sender's own life, and no more: it tells when a delivery may have been used first, so that after a
    /// restart, a store in memory refuses deliveries for as long.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_sso::webhook::{self, TimeFormat};
    ///
    /// // {"expires_at": "2023-11-14T22:13:20Z", …}
    /// let layer = webhook::layer::<serde_json::Value>()
    ///     .timestamp_field("expires_at")
    ///     .timestamp_format(TimeFormat::Rfc3339)
    ///     .timestamp_is_expiry(Duration::from_secs(600));
    /// ```
    pub fn timestamp_is_expiry(mut self, longest: Duration) -> Self {
        self.form.expires_within = Some(longest);
        self
    }

    /// The header with the delivery's id. It must be signed. Default: none.
    pub fn id_header(mut self, name: HeaderName) -> Self {
        self.form.id_header = Some(name);
        self
    }

    /// The header that lists the names of the signed headers, in lower case with commas between them. It must name
    /// itself, the [`timestamp_header`](Self::timestamp_header) and the [`id_header`](Self::id_header). Default: none.
    ///
    /// Headers whose names begin with `family`, in whatever case, and are not in the list are removed: nobody signed
    /// them. Behind an [`optional`](Self::optional) layer, a request without an identity still has them.
    pub fn signed_headers(mut self, list: HeaderName, family: &'static str) -> Self {
        // As the names of headers are.
        let family = family.to_ascii_lowercase();
        self.form.reading.listed = Some(Listed { list, family });
        self
    }

    /// The content type, without parameters. Default: `application/json`.
    pub fn content_type(self, essence: impl Into<Cow<'static, str>>) -> Self {
        self.content_types([essence])
    }

    /// Several content types, of which one is required: for senders that send JSON and forms. The content type itself
    /// is not signed.
    pub fn content_types<T: Into<Cow<'static, str>>>(mut self, essences: impl IntoIterator<Item = T>) -> Self {
        self.form.content_types = Some(essences.into_iter().map(Into::into).collect());
        self
    }

    /// Takes any content type, or none.
    pub fn any_content_type(mut self) -> Self {
        self.form.content_types = None;
        self
    }

    /// Takes only bodies that begin with `{` or `[`, after any white space: for senders whose key also signs other
    /// texts, such as [challenges](crate::webhook::challenge). Otherwise: `malformed`. Default: any body.
    ///
    /// ```
    /// use tower_sso::webhook::{self, RawBody};
    ///
    /// let layer = webhook::layer::<RawBody>().object_or_list();
    /// ```
    pub fn object_or_list(mut self) -> Self {
        self.form.object_or_list = true;
        self
    }

    /// Takes an empty body too, which then needs no content type: for senders that use `GET` or `DELETE`, see
    /// [`methods`](Self::methods). Something else must differ from one request to the next, and be signed. Default: an
    /// empty body is `malformed`.
    pub fn optional_body(mut self) -> Self {
        self.form.optional_body = true;
        self
    }
}
