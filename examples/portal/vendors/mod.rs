//! One file for each vendor: its configuration, its routes, and its card on the page. To add one, write its file, with
//! a [`Vendor`] in it, and name it in [`all`]: nothing else knows the vendors. If the demo is to play it, `demo/` gets
//! its partner.

pub(crate) mod lcvista;
pub(crate) mod seatmap;
pub(crate) mod site_builder;
pub(crate) mod tutorcruncher;
pub(crate) mod waggl;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, Deserializer};
use tower_sessions::Session;

use crate::app::Portal;
use crate::config::Origin;
use crate::db::Database;
use crate::demo::Demo;
use crate::page::{Card, Field, Row};
use crate::problem::Problem;

/// Those that the portal is integrated with.
pub(crate) type Vendors = Vec<Arc<dyn Vendor>>;

/// Every vendor that there is, in the page's order, none of them configured yet.
fn all() -> Vec<Box<dyn Vendor>> {
    vec![
        Box::<tutorcruncher::TutorCruncher>::default(),
        Box::<lcvista::Lcvista>::default(),
        Box::<site_builder::SiteBuilder>::default(),
        Box::<waggl::Waggl>::default(),
        Box::<seatmap::Seatmap>::default(),
    ]
}

/// A vendor, and what this deployment's configuration says of it.
#[async_trait]
pub(crate) trait Vendor: fmt::Debug + Send + Sync {
    /// In sessions, in the log and on the page.
    fn name(&self) -> &'static str;

    /// The sections of the configuration that are its own.
    fn section_names(&self) -> &'static [&'static str];

    /// Reads those of its sections that are there. No error may quote a secret.
    fn configure(&mut self, sections: Deserializer<'_>) -> Result<(), toml::de::Error>;

    /// Whether its sections ask for it: without, it has no routes and no card.
    fn is_configured(&self) -> bool;

    /// What is wrong with its sections together, and names the key.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// What the vendor and its users' browsers call.
    async fn routes(self: Arc<Self>, portal: &Portal) -> Result<Router<Portal>, Box<dyn Error>>;

    /// What the page says of it.
    fn card(&self) -> Card;

    /// A session's claims as the vendor's own type, for the page to show.
    fn typed(&self, claims: &Value) -> Option<String>;

    /// Configures it for the demo, with secrets that are made at the first start. By default the demo does not have it.
    async fn make_up(&mut self, _: &Database, _: &Origin) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    /// The fields and buttons of its card in the demo.
    async fn form(&self, _: &Portal, _: &Session) -> Result<(Vec<Field>, Vec<Row>), Problem> {
        Ok(Default::default())
    }

    /// The routes of those buttons.
    async fn partner(&self, _: &Demo) -> Result<Router<Portal>, Box<dyn Error>> {
        Ok(Router::new())
    }
}

/// Those that a configuration file asks for. Their sections are taken out of it.
pub(crate) fn configured(file: &mut Spanned<DeTable<'_>>) -> Result<Vendors, toml::de::Error> {
    let mut vendors = all();
    for vendor in &mut vendors {
        configure(&mut **vendor, file)?;
    }
    Ok(in_use(vendors))
}

pub(crate) fn configure(vendor: &mut dyn Vendor, file: &mut Spanned<DeTable<'_>>) -> Result<(), toml::de::Error> {
    let mut sections = Spanned::new(file.span(), DeTable::new());
    for name in vendor.section_names() {
        if let Some((name, section)) = file.get_mut().remove_entry(*name) {
            sections.get_mut().insert(name, section);
        }
    }
    vendor.configure(Deserializer::from(sections))
}

/// Those that the demo plays.
pub(crate) async fn made_up(database: &Database, public_url: &Origin) -> Result<Vendors, Box<dyn Error>> {
    let mut vendors = all();
    for vendor in &mut vendors {
        vendor.make_up(database, public_url).await?;
    }
    Ok(in_use(vendors))
}

fn in_use(vendors: impl IntoIterator<Item = Box<dyn Vendor>>) -> Vendors {
    vendors.into_iter().filter(|vendor| vendor.is_configured()).map(Arc::from).collect()
}

/// For the person who has misspelt one.
pub(crate) fn section_names() -> String {
    let sections = all().into_iter().flat_map(|vendor| vendor.section_names());
    sections.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What the vendors call.
pub(crate) async fn routes(portal: &Portal) -> Result<Router<Portal>, Box<dyn Error>> {
    let mut routes = Router::new();
    for vendor in &portal.vendors {
        routes = routes.merge(Arc::clone(vendor).routes(portal).await?);
    }
    Ok(routes)
}

/// What the page says of the vendors.
pub(crate) async fn cards(portal: &Portal, session: &Session) -> Result<Vec<Card>, Problem> {
    let mut cards = Vec::new();
    for vendor in &portal.vendors {
        let mut card = vendor.card();
        if portal.demo {
            (card.fields, card.rows) = vendor.form(portal, session).await?;
        }
        cards.push(card);
    }
    Ok(cards)
}

/// The claims of a session as the vendor's own type, for the page. Its vendor may have been configured when it began.
pub(crate) fn typed(name: &str, claims: &Value) -> Option<String> {
    all().iter().find(|vendor| vendor.name() == name)?.typed(claims)
}

/// The lines between `// [name]` and `// [/name]` of a source file, so that what the page shows is what runs.
pub(crate) fn excerpt(source: &str, name: &str) -> String {
    let (begin, end) = (format!("// [{name}]"), format!("// [/{name}]"));
    let lines = || source.lines().skip_while(|line| line.trim() != begin).skip(1).take_while(|line| line.trim() != end);
    let indent = |line: &str| line.len() - line.trim_start().len();
    let common = lines().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or_default();
    lines().map(|line| line.get(common..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}
