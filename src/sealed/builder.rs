use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;

use super::{At, Seal, Sealed};
use crate::form::{HasWindow, Usage};
use crate::has_settings::has_settings;
use crate::scheme::{Place, SignedTime};
use crate::tenant::Tenant;
use crate::time_setters::HasSignedTime;
use crate::window::Window;
use crate::{Builder, ConfigProblem};

/// Starts a layer for payloads that are sealed in this way and stand in this place.
///
/// | setting | default |
/// |---|---|
/// | [`issued_at`](Builder::issued_at) or [`expires_at`](Builder::expires_at) | none: one of them must be called |
/// | [`max_age`](Builder::max_age), [`clock_skew`](Builder::clock_skew) | 300 s, 60 s |
/// | [`require_value`](Builder::require_value) | nothing |
/// | [`reusable`](Builder::reusable) | once |
/// | [`tenant`](Builder::tenant) | one for all |
/// | [`methods`](Builder::methods) | GET |
///
/// ```
/// use http::HeaderName;
/// use std::time::Duration;
/// use tower_sso::scheme::{Place, TimeFormat};
/// use tower_sso::sealed::{self, Seal};
///
/// let header = Place::header(HeaderName::from_static("x-context"));
/// let layer = sealed::layer::<serde_json::Value>(Seal::FramedAesGcm, header)
///     .expires_at("exp", TimeFormat::Milliseconds, Duration::from_secs(600))
///     .reusable()
///     .secrets(["0123456789abcdef"])
///     .build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn layer<C>(seal: Seal, place: Place) -> Builder<Sealed<C>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    start(seal, At::Place(place))
}

/// As [`layer`], for a payload that is the last segment of the path, as the client sent it: `/login/{payload}`.
///
/// **It stays in the path**, where the inner service and its log see it. Each path that does not end with `/` counts as
/// one with a payload, so put the layer on that route alone.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::replay::MemoryReplay;
/// use tower_sso::scheme::TimeFormat;
/// use tower_sso::sealed::{self, Seal};
///
/// let layer = sealed::in_last_segment::<serde_json::Value>(Seal::AesCbcThenHmac)
///     .issued_at("created_at", TimeFormat::Rfc3339)
///     .secrets(["0123456789abcdef"])
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn in_last_segment<C>(seal: Seal) -> Builder<Sealed<C>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    start(seal, At::LastSegment)
}

fn start<C>(seal: Seal, at: At) -> Builder<Sealed<C>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let form = Sealed {
        seal,
        at,
        time: SignedTime::Unset,
        window: Window { max_age: Duration::from_secs(300), clock_skew: Duration::from_secs(60) },
        usage: Usage::Once,
        fixed: Vec::new(),
        #[cfg(feature = "explain")]
        misread: None,
        claims: PhantomData,
    };
    Builder::new(form, Tenant::fixed("default"), Method::GET)
}

impl<C, D> Builder<Sealed<C>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// Lets a payload come again as long as it is valid. The layer then takes no replay store. **A stolen payload works
    /// until its end.** Default: once.
    pub fn reusable(mut self) -> Self {
        self.form.usage = Usage::Reusable;
        self
    }

    /// A member that must have this text, such as the app for which the payload is. A name that begins with `/` is a
    /// pointer (RFC 6901). Default: none.
    pub fn require_value(mut self, member: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) -> Self {
        self.form.fixed.push((member.into(), value.into()));
        self
    }
}

has_settings!(Sealed<C>: HasSignedTime::time_mut, time: SignedTime);
has_settings!(Sealed<C>: HasWindow::window_mut, window: Window);

pub(super) fn check<C>(form: &Sealed<C>) -> Result<(), ConfigProblem> {
    form.window.check()?;
    if let At::Place(place) = &form.at {
        place.check("layer")?;
    }
    form.time.check(form.usage)
}
