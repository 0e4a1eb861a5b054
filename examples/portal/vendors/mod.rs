//! One file for each vendor: its configuration, its routes and its card on the page. To add a vendor, implement [`Vendor`] in
//! a new file and list it in [`all`]. For the demo, add its partner to `demo/`.

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

/// The configured vendors.
pub(crate) type Vendors = Vec<Arc<dyn Vendor>>;

/// All vendors, unconfigured, in the order of the page.
fn all() -> Vec<Box<dyn Vendor>> {
    vec![
        Box::<tutorcruncher::TutorCruncher>::default(),
        Box::<lcvista::Lcvista>::default(),
        Box::<site_builder::SiteBuilder>::default(),
        Box::<waggl::Waggl>::default(),
        Box::<seatmap::Seatmap>::default(),
    ]
}

/// A vendor and its configuration.
#[async_trait]
pub(crate) trait Vendor: fmt::Debug + Send + Sync {
    /// The name in sessions, in the log and on the page.
    fn name(&self) -> &'static str;

    /// Its sections in the configuration file.
    fn section_names(&self) -> &'static [&'static str];

    /// Reads its sections, as far as present. Errors must not quote secrets.
    fn configure(&mut self, sections: Deserializer<'_>) -> Result<(), toml::de::Error>;

    /// Whether any section is present. An unconfigured vendor has no routes and no card.
    fn is_configured(&self) -> bool;

    /// Checks what spans several sections. Errors name the key.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// The routes that the partner's server and its users' browsers call.
    async fn routes(self: Arc<Self>, portal: &Portal) -> Result<Router<Portal>, Box<dyn Error>>;

    /// Its card on the page.
    fn card(&self) -> Card;

    /// A session's claims, formatted as the vendor's type.
    fn typed(&self, claims: &Value) -> Option<String>;

    /// Configures it for the demo, with secrets generated at the first start. By default it is left out of the demo.
    async fn make_up(&mut self, _: &Database, _: &Origin) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    /// The demo card's fields and buttons.
    async fn form(&self, _: &Portal, _: &Session) -> Result<(Vec<Field>, Vec<Row>), Problem> {
        Ok(Default::default())
    }

    /// The demo buttons' routes.
    async fn partner(&self, _: &Demo) -> Result<Router<Portal>, Box<dyn Error>> {
        Ok(Router::new())
    }
}

/// The vendors that a configuration file asks for. Removes their sections from it.
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

/// The vendors of the demo.
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

/// All section names, for the error about a misspelt one.
pub(crate) fn section_names() -> String {
    let sections = all().into_iter().flat_map(|vendor| vendor.section_names());
    sections.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The routes of all configured vendors.
pub(crate) async fn routes(portal: &Portal) -> Result<Router<Portal>, Box<dyn Error>> {
    let mut routes = Router::new();
    for vendor in &portal.vendors {
        routes = routes.merge(Arc::clone(vendor).routes(portal).await?);
    }
    Ok(routes)
}

/// The cards of all configured vendors.
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

/// A session's claims, formatted as the vendor's type. Searches all vendors: the session's may have been removed from the
/// configuration since.
pub(crate) fn typed(name: &str, claims: &Value) -> Option<String> {
    all().iter().find(|vendor| vendor.name() == name)?.typed(claims)
}

/// The lines between `// [name]` and `// [/name]` of a source file. The page shows the code that runs.
pub(crate) fn excerpt(source: &str, name: &str) -> String {
    let (begin, end) = (format!("// [{name}]"), format!("// [/{name}]"));
    let lines = || source.lines().skip_while(|line| line.trim() != begin).skip(1).take_while(|line| line.trim() != end);
    let indent = |line: &str| line.len() - line.trim_start().len();
    let common = lines().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or_default();
    lines().map(|line| line.get(common..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}
