//! Pages for partners: how they sign requests for the portal. Written by `--kit`.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tower_sso::VerifyLayer;
use tower_sso::kit::Kit;
use tower_sso::sign::{SignError, Signs};

type Make = dyn Fn(&str, Option<&str>) -> Result<Kit, SignError> + Send + Sync;

/// The layers by their routes. Not mounted: no client reaches them.
#[derive(Default)]
pub(crate) struct Kits(Mutex<Vec<(&'static str, Box<Make>)>>);

impl Kits {
    /// Writes pages for this path about this layer, with these claims in their example.
    pub(crate) fn add<F: Signs, C>(&self, path: &'static str, layer: &VerifyLayer<F, C>, claims: Value)
    where
        C: Send + Sync + 'static,
    {
        let layer = layer.clone();
        let make = move |address: &str, tenant: Option<&str>| {
            let claims = claims.as_object().into_iter().flatten();
            let kit = claims.fold(layer.kit(address), |kit, (name, value)| kit.claim(name, value));
            match tenant {
                Some(tenant) => kit.tenant(tenant).build(),
                None => kit.build(),
            }
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((path, Box::new(make)));
    }

    /// The page for partners that send requests to this URL; `None` if no layer is at its path.
    pub(crate) fn page(&self, address: &str, tenant: Option<&str>) -> Option<Result<String, SignError>> {
        let path = address.parse::<http::Uri>().ok()?.path().to_owned();
        let kits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, make) = kits.iter().find(|(route, _)| is_at(route, &path))?;
        Some(make(address, tenant).map(|kit| kit.markdown()))
    }
}

/// Whether the path is this route's, whose parameters are in braces.
fn is_at(route: &str, path: &str) -> bool {
    let (mut segments, mut others) = (route.split('/'), path.split('/'));
    loop {
        match (segments.next(), others.next()) {
            (None, None) => return true,
            (Some(segment), Some(other)) if segment == other || (segment.starts_with('{') && !other.is_empty()) => {}
            _ => return false,
        }
    }
}
