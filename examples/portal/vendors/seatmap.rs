//! seatmap.pro: a platform's server registers users and signs them in with its private key. It gets a one-time ticket, which
//! the user's browser redeems at the editor.

use std::error::Error;
use std::sync::Arc;

use askama::Template;
use async_trait::async_trait;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use http::{HeaderMap, HeaderName, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use toml::de::Deserializer;
use tower_sessions::Session;
use tower_sso::Identity;
use tower_sso::keys::Secret;
use tower_sso::providers::seatmap::{self, SeatmapLogin, SeatmapRegistration};
use tower_sso::rejection::Code;
use tower_sso::rejection::RefusedClaims;
use tower_sso::shared_secret::{self, PrivateKeys};
use tower_sso::throttle::Throttle;
use tower_sso::ticket::{self, Tickets};

use crate::accounts::{Account, Accounts, NOT_OF_THIS_ORGANISATION, NewUser, VouchedBy};
use crate::app::Portal;
use crate::caller::Callers;
use crate::config::{self, Origin, unique};
use crate::db::Database;
use crate::demo::{self, Demo};
use crate::page::{self, Card, Field, Row};
use crate::problem::Problem;
use crate::session::SignedIn;
use crate::text;
use crate::vendors::Vendor;

pub(crate) const NAME: &str = "seatmap";

const BODY_LIMIT: usize = 16 * 1024;

const MALFORMED: Problem = Problem {
    status: StatusCode::BAD_REQUEST,
    code: "malformed",
    title: "The body is malformed",
    detail: "Send a JSON object with email, firstName, lastName, organizationName and password, each once.",
};
const NOT_JSON: Problem = Problem {
    status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
    code: "unsupported_media_type",
    title: "The body’s type is not supported",
    detail: "Send it as application/json, uncompressed.",
};
const TOO_LARGE: Problem = Problem {
    status: StatusCode::PAYLOAD_TOO_LARGE,
    code: "payload_too_large",
    title: "The body is too large",
    detail: "The limit is 16 KiB.",
};

/// The claims of a ticket.
#[derive(Serialize, Deserialize)]
struct Entrance {
    user: SeatmapLogin,
    user_id: String,
    name: String,
}

/// All sections of this vendor.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Seatmap {
    #[serde(rename = "seatmap")]
    pub(crate) sections: Vec<Section>,
    seatmap_registration: Registration,
    seatmap_throttle: ThrottleSection,
}

impl Seatmap {
    /// With the defaults.
    pub(crate) fn new(sections: Vec<Section>) -> Self {
        Self { sections, ..Self::default() }
    }
}

/// One organisation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    pub(crate) organization: String,
    #[serde(deserialize_with = "config::secrets")]
    pub(crate) private_keys: Vec<Secret>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Registration {
    mode: RegistrationMode,
}

/// Who may register a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RegistrationMode {
    /// Anyone, as the vendor documents it.
    #[default]
    Open,
    /// Only callers with the organisation's private key, sent in the body as `token`.
    Keyed,
}

/// How to identify clients that guess private keys.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ThrottleSection {
    /// The header in which the proxy in front puts its client's address. Default: the peer's address. Behind a proxy that is
    /// the proxy's, so one guesser would lock out everyone.
    #[serde(deserialize_with = "header_name")]
    client_address_header: Option<HeaderName>,
}

fn header_name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<HeaderName>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let name =
        text.parse().map_err(|_| serde::de::Error::custom("must be a header name such as \"x-forwarded-for\""))?;
    Ok(Some(name))
}

#[async_trait]
impl Vendor for Seatmap {
    fn name(&self) -> &'static str {
        NAME
    }

    fn section_names(&self) -> &'static [&'static str] {
        &["seatmap", "seatmap_registration", "seatmap_throttle"]
    }

    fn configure(&mut self, sections: Deserializer<'_>) -> Result<(), toml::de::Error> {
        *self = Self::deserialize(sections)?;
        Ok(())
    }

    fn is_configured(&self) -> bool {
        !self.sections.is_empty()
    }

    fn check(&self) -> Result<(), String> {
        // Look-alike names count as one organisation.
        let organizations: Vec<_> = self.sections.iter().map(|seatmap| text::fold(&seatmap.organization)).collect();
        unique("[[seatmap]] organization", organizations.iter())
    }

    async fn routes(self: Arc<Self>, portal: &Portal) -> Result<Router<Portal>, Box<dyn Error>> {
        let clock = portal.clock.clone();
        // [mount]
        let keys = PrivateKeys::new();
        for organisation in &self.sections {
            keys.insert(&*organisation.organization, organisation.private_keys.clone())?;
        }
        // Locks out clients that guess keys, by address.
        let header = self.seatmap_throttle.client_address_header.clone();
        let callers = Callers::new(header, clock.clone());
        let throttle = Throttle::by(move |head| callers.source(head));
        let autologin = seatmap::autologin(keys.clone()).throttle(throttle.clone()).body_limit(BODY_LIMIT);
        let autologin = autologin.clock(clock.clone()).map_claims(sane_user).build()?;
        portal.explainers.add("/api/auth/autologin", &autologin);

        let tickets = Tickets::new(portal.stores.tickets.clone()).namespace(NAME).clock(clock.clone());
        let once = ticket::layer::<Entrance>(tickets.clone()).ticket_parameter("sessionId");
        let once = once.responder(page::refused).optional().build()?;

        let registration = match self.seatmap_registration.mode {
            RegistrationMode::Open => {
                tracing::warn!("anyone may register users and claim email addresses: see `seatmap_registration`");
                post(register)
            }
            RegistrationMode::Keyed => {
                let keyed = shared_secret::layer::<SeatmapRegistration>(keys).throttle(throttle).clock(clock.clone());
                post(register_with_key).layer(keyed.body_limit(BODY_LIMIT).map_claims(sane_registration).build()?)
            }
        };
        let routes = Router::new()
            .route("/api/auth/register", registration)
            .route("/api/auth/autologin", post(sign_in).layer(autologin))
            .route("/editor", get(editor).layer(once))
            .layer(Extension(tickets));
        // [/mount]
        let accounts = Accounts::new(portal.database.clone());
        Ok(routes.layer(Extension(accounts)).layer(DefaultBodyLimit::max(BODY_LIMIT)))
    }

    fn card(&self) -> Card {
        let arrives = "The ticketing platform’s server sends its private key in a JSON body and gets a one-time ticket. \
                  The user’s browser redeems the ticket at the editor: once, within a minute.";
        Card::new(NAME, "seatmap.pro", arrives, super::excerpt(include_str!("seatmap.rs"), "mount"))
    }

    fn typed(&self, claims: &Value) -> Option<String> {
        SeatmapLogin::deserialize(claims).ok().map(|user| format!("{user:#?}"))
    }

    async fn make_up(&mut self, database: &Database, _: &Origin) -> Result<(), Box<dyn Error>> {
        *self = demo::seatmap::made_up(database).await?;
        Ok(())
    }

    async fn form(&self, _: &Portal, session: &Session) -> Result<(Vec<Field>, Vec<Row>), Problem> {
        demo::seatmap::form(session).await
    }

    async fn partner(&self, demo: &Demo) -> Result<Router<Portal>, Box<dyn Error>> {
        demo::seatmap::start(demo, self)
    }
}

/// Open, as the vendor documents it: anyone may create users and organisations.
async fn register(
    accounts: Extension<Accounts>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => TOO_LARGE,
        _ => MALFORMED,
    })?;
    let call = SeatmapRegistration::read(&headers, &body).map_err(|reason| match reason.code() {
        Code::UnsupportedMediaType => NOT_JSON,
        _ => MALFORMED,
    })?;
    if !is_sane(&call) {
        return Err(MALFORMED);
    }
    make_user(&accounts, &call, VouchedBy::Nobody).await
}

/// Requires the private key of the new user's organisation.
async fn register_with_key(
    accounts: Extension<Accounts>,
    call: Identity<SeatmapRegistration>,
) -> Result<Response, Problem> {
    if text::fold(call.tenant().as_str()) != text::fold(&call.organization_name) {
        return Err(NOT_OF_THIS_ORGANISATION);
    }
    make_user(&accounts, call.claims(), VouchedBy::Partner).await
}

async fn make_user(accounts: &Accounts, call: &SeatmapRegistration, by: VouchedBy) -> Result<Response, Problem> {
    let user = NewUser { email: &call.email, first_name: &call.first_name, last_name: &call.last_name };
    let account = accounts.register(&call.organization_name, &user, call.password.clone(), by).await?;
    tracing::info!(organization = account.organization_id, user = account.user_id, "user registered");
    let Account { organization_id, user_id, .. } = account;
    Ok((StatusCode::CREATED, Json(json!({"organizationId": organization_id, "userId": user_id}))).into_response())
}

fn is_sane(call: &SeatmapRegistration) -> bool {
    let names = [&call.email, &call.first_name, &call.last_name, &call.organization_name];
    names.into_iter().all(|name| text::is_name(name)) && !text::fold(&call.organization_name).is_empty()
}

fn sane_registration(call: SeatmapRegistration) -> Result<SeatmapRegistration, RefusedClaims> {
    if is_sane(&call) { Ok(call) } else { Err(unfit()) }
}

fn sane_user(user: SeatmapLogin) -> Result<SeatmapLogin, RefusedClaims> {
    let names = [&user.first_name, &user.last_name].into_iter().flatten();
    if names.chain([&user.login]).all(|name| text::is_name(name)) { Ok(user) } else { Err(unfit()) }
}

fn unfit() -> RefusedClaims {
    RefusedClaims::new("a field is too long, invisible, or has control characters")
}

/// Answers the platform's server with a ticket for a user of its organisation. The session starts when the user's browser
/// redeems the ticket.
pub(crate) async fn sign_in(
    portal: State<Portal>,
    accounts: Extension<Accounts>,
    tickets: Extension<Tickets>,
    call: Identity<SeatmapLogin>,
) -> Result<Response, Problem> {
    let named = |name: &Option<String>| name.clone().unwrap_or_default();
    let (first_name, last_name) = (named(&call.first_name), named(&call.last_name));
    let user = NewUser { email: &call.login, first_name: &first_name, last_name: &last_name };
    let account = accounts.of_organization(call.tenant().as_str(), &user).await?;
    let Account { user_id, organization_id, name, .. } = account;
    let entrance = Entrance { user: call.claims().clone(), user_id, name };
    let ticket = tickets.issue(call.tenant(), &entrance).await?;
    let redirect = format!("{}/editor?sessionId={ticket}", portal.public_url.as_str());
    Ok(Json(json!({"sessionId": ticket, "organizationId": organization_id, "redirectUrl": redirect})).into_response())
}

async fn editor(
    portal: State<Portal>,
    session: Session,
    entrance: Option<Identity<Entrance>>,
) -> Result<Response, Problem> {
    if let Some(entrance) = entrance {
        let Entrance { user, user_id, name } = entrance.claims();
        let signed_in = SignedIn::new(NAME, &entrance, user_id.clone(), name, Some(&user.login));
        signed_in.claiming(user).start(&session, &portal.clock).await?;
        return Ok(Redirect::to("/editor").into_response());
    }
    let signed_in = SignedIn::of(&session, &portal.clock).await?.filter(|signed_in| signed_in.provider == NAME);
    let SignedIn { name, tenant, .. } = signed_in.ok_or(Problem::NOT_SIGNED_IN)?;
    Ok(page::render(&EditorPage { name, organization: tenant })?.into_response())
}

#[derive(Template)]
#[template(path = "editor.html")]
struct EditorPage {
    name: String,
    organization: String,
}
