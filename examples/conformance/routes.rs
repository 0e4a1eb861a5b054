use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Value, json};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};
use tower_sso::Builder;
use tower_sso::Identity;
use tower_sso::body::{LayerBody, ReadBody};
use tower_sso::clock::Clock;
use tower_sso::form::Form;
use tower_sso::keys::{KeyStore, MemoryKeys};
use tower_sso::landing::LocalPath;
use tower_sso::ticket::{MemoryTickets, Tickets};

use crate::clock::SetClock;
use crate::forms::{self, Grant, Secret};
use crate::seatmap::Users;
use crate::{Reply, answer, presets};

pub(crate) type Service = BoxCloneSyncService<Request<Incoming>, Reply, Infallible>;
type Failure = Box<dyn Error>;

#[derive(Deserialize)]
pub(crate) struct Config {
    external_scheme: Option<String>,
    pub(crate) clock: Option<f64>,
    routes: Vec<Route>,
}

/// The configuration of a route. Its scheme decides which fields apply.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Route {
    pub(crate) id: Option<String>,
    pub(crate) scheme: String,
    pub(crate) path: String,
    pub(crate) methods: Option<Vec<String>>,
    pub(crate) keys: BTreeMap<String, String>,
    pub(crate) ttl: Option<f64>,
    pub(crate) future_skew: Option<f64>,
    pub(crate) required: Option<Vec<String>>,
    pub(crate) header: Option<String>,
    pub(crate) hash: Option<String>,
    pub(crate) encoding: Option<String>,
    pub(crate) secret: Option<Secret>,
    pub(crate) preset: Option<String>,
    /// The first is current.
    pub(crate) secrets: Vec<Secret>,
    /// The origin that the sender signs.
    pub(crate) public_url: Option<String>,
    /// The topics of Amazon SNS that are accepted.
    pub(crate) topic_arns: Option<Vec<String>>,
    /// The id of PayPal's webhook.
    pub(crate) webhook_id: Option<String>,
    /// The path of the address that Canva has for an extension.
    pub(crate) base_path: Option<String>,
    pub(crate) effect: Option<String>,
    pub(crate) param: Option<String>,
    pub(crate) alg: Option<String>,
    #[serde(alias = "audience")]
    pub(crate) aud: Option<String>,
    /// Who makes the tokens.
    pub(crate) issuer: Option<String>,
    /// The load balancer's name.
    pub(crate) signer: Option<String>,
    /// The app of Fourthwall whose settings are opened.
    pub(crate) app_id: Option<String>,
    /// The bot of Telegram that the mini app belongs to; if missing, that of Telegram's published example.
    pub(crate) bot_id: Option<u64>,
    pub(crate) require: Option<Vec<String>>,
    pub(crate) leeway: Option<f64>,
    pub(crate) max_lifetime: Option<f64>,
    pub(crate) subject: Option<String>,
    pub(crate) slug: Option<String>,
    pub(crate) max_age: Option<f64>,
    pub(crate) clock_skew: Option<f64>,
    pub(crate) plus: Option<String>,
    pub(crate) consumers: BTreeMap<String, String>,
    pub(crate) window: Option<f64>,
    pub(crate) transports: Option<Vec<String>>,
}

/// State shared by the routes of one configuration.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) https: bool,
    pub(crate) clock: SetClock,
    pub(crate) users: Users,
    /// The keys of every fernet route. A company that signs up is added to all of them.
    pub(crate) learned: Arc<Vec<MemoryKeys>>,
    tickets: Tickets,
}

#[derive(Default)]
pub(crate) struct Routes(Vec<Mounted>);

struct Mounted {
    path: String,
    methods: Option<Vec<Method>>,
    service: Service,
}

impl Routes {
    pub(crate) fn build(config: &Config, clock: &SetClock) -> Result<Self, Failure> {
        let companies = |route: &Route| {
            let keys = route.keys.iter();
            keys.fold(MemoryKeys::new(), |keys, (company, key)| keys.with(company.as_str(), key.as_str()))
        };
        let fernet = config.routes.iter().filter(|route| route.scheme == "fernet");
        let learned: Vec<MemoryKeys> = fernet.map(companies).collect();
        let world = World {
            https: config.external_scheme.as_deref() == Some("https"),
            clock: clock.clone(),
            users: Users::default(),
            learned: Arc::new(learned.clone()),
            tickets: Tickets::new(MemoryTickets::new()).clock(clock.clone()),
        };
        let mut learned = learned.into_iter();
        let mut mounted = Vec::new();
        for route in &config.routes {
            let service = match route.scheme.as_str() {
                "fernet" => forms::fernet(route, learned.next().unwrap_or_default(), &world),
                "hmac_webhook" => forms::webhook(route, &world),
                "jwt" => forms::jwt(route, &world),
                "lcvista_hash" => forms::timestamp_hash(route, &world),
                "oauth1" => forms::oauth1(route, &world),
                "preset" => presets::preset(route, &world),
                "shared_token" => forms::shared_secret(route, &world),
                other => Err(format!("unknown scheme {other:?}").into()),
            }?;
            mounted.push(Mounted { path: route.path.clone(), methods: route.methods()?, service });
        }
        Ok(Self(mounted))
    }

    /// Finds the route for this path; of several, prefers the one that lists the method.
    pub(crate) fn find(&self, path: &str, method: &Method) -> Option<Service> {
        let of_path = || {
            self.0.iter().filter(|route| match route.path.strip_suffix('*') {
                Some(prefix) => path.starts_with(prefix),
                None => path == route.path,
            })
        };
        let lists = |route: &&Mounted| route.methods.as_ref().is_some_and(|methods| methods.contains(method));
        of_path().find(lists).or_else(|| of_path().next()).map(|route| route.service.clone())
    }
}

impl Route {
    pub(crate) fn methods(&self) -> Result<Option<Vec<Method>>, Failure> {
        let parse =
            |methods: &Vec<String>| methods.iter().map(|name| Ok(name.parse()?)).collect::<Result<_, Failure>>();
        self.methods.as_ref().map(parse).transpose()
    }
}

/// Puts a layer in front of a service that answers with what the layer proved.
pub(crate) fn mount<F, Out>(route: &Route, world: &World, layer: Builder<F, Grant>) -> Result<Service, Failure>
where
    F: Form + Sync,
    F::Reads: ReadBody<Incoming, Out = Out>,
    <F::Reads as ReadBody<Incoming>>::Reading: Send,
    Out: Send + 'static,
{
    let layer = match route.methods()? {
        Some(methods) => layer.methods(methods),
        None => layer,
    };
    let layer = layer.clock(world.clock.clone()).responder(answer::refusal).build()?;
    let (said, world) = (json!({"ok": true, "scheme": route.scheme, "route": route.id}), world.clone());
    let acknowledged = said.clone();
    let show = service_fn(move |request: Request<Out>| {
        let (said, world) = (said.clone(), world.clone());
        async move {
            let (head, _) = request.into_parts();
            let Some(identity) = Identity::<Grant>::of(&head.extensions) else {
                return Ok(answer::refused(StatusCode::UNAUTHORIZED, "bad_signature"));
            };
            Ok::<_, Infallible>(accept(said, identity, &head.uri, &world).await)
        }
    });
    let whole = move |response: Response<LayerBody<Full<Bytes>>>| {
        let acknowledged = acknowledged.clone();
        async move {
            let (head, body) = response.into_parts();
            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            // Duplicate webhooks are acknowledged without a body.
            let body = if body.is_empty() { acknowledged.to_string().into() } else { body };
            Ok(Response::from_parts(head, Full::new(body)))
        }
    };
    Ok(BoxCloneSyncService::new(layer.layer(show).and_then(whole)))
}

/// One route of two layers, one of which takes what is posted.
pub(crate) fn posts_apart(others: Service, posts: Service) -> Service {
    BoxCloneSyncService::new(service_fn(move |request: Request<Incoming>| {
        let service = if request.method() == Method::POST { &posts } else { &others };
        service.clone().oneshot(request)
    }))
}

async fn accept(mut said: Value, identity: &Identity<Grant>, uri: &http::Uri, world: &World) -> Reply {
    let grant = identity.claims();
    if let Some(signup) = &grant.learn {
        for keys in world.learned.iter() {
            let company = signup.company_id.to_string().into();
            let known = keys.keys(&company).await.unwrap_or_default();
            if known.first().is_none_or(|current| current.secret() != &signup.fernet_key) {
                // Links signed with the previous key may still be on their way.
                let grace = world.clock.now().plus(std::time::Duration::from_secs(24 * 3_600));
                keys.rotate(company, signup.fernet_key.clone(), grace);
            }
        }
    }
    if grant.hands_on_a_ticket {
        match world.tickets.issue(identity.tenant(), &grant.attributes).await {
            Ok(ticket) => said["sessionId"] = ticket.into(),
            Err(error) => return answer::refused(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        }
    }
    said["tenant"] = identity.tenant().as_str().into();
    let parts = [
        ("subject", grant.subject.clone()),
        ("email", grant.email.clone()),
        ("name", grant.name.clone()),
        ("attributes", Some(grant.attributes.clone())),
    ];
    for (name, value) in parts {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            said[name] = value;
        }
    }
    if grant.lands && tower_sso::query::Query::of(uri).pairs().any(|(name, _)| name == "next") {
        said["next"] = LocalPath::from_query(uri, "next").unwrap_or_default().as_str().into();
    }
    answer::json(StatusCode::OK, &said)
}
