//! What each program signs passes the layer, and a second use does not.

use tower_sso::kit::Language;

use crate::interpreters::{request, run};
use crate::mechanisms::{self, Time};
use crate::support::outcome;

async fn sign_in(language: Language) {
    for mechanism in mechanisms::all(&Time::Real) {
        let program = mechanism.kit.programs().iter().find(|program| program.language == language);
        let Some(program) = program else {
            let without = match language {
                Language::CSharp => {
                    let is_public = mechanism.kit.key().expose().starts_with(b"-----BEGIN PUBLIC KEY");
                    is_public || mechanism.name == "sealed, GCM"
                }
                Language::Php => mechanism.name.ends_with("RSA-PSS"),
                _ => false,
            };
            assert!(without, "{} in {language:?}", mechanism.name);
            continue;
        };
        let printed = run(program);
        let shown = || format!("{} in {language:?}:\n{}\n{printed}", mechanism.name, program.source);
        assert_eq!(outcome(&mechanism.app.send(request(&printed)).await), "ok", "{}", shown());
        let again = mechanism.app.send(request(&printed)).await;
        assert_eq!((outcome(&again), mechanism.app.inner.calls()), mechanism.second, "{}", shown());
    }
}

#[tokio::test]
async fn python() {
    sign_in(Language::Python).await;
}

#[tokio::test]
async fn node() {
    sign_in(Language::Node).await;
}

#[tokio::test]
async fn php() {
    sign_in(Language::Php).await;
}

#[tokio::test]
async fn ruby() {
    sign_in(Language::Ruby).await;
}

#[tokio::test]
async fn go() {
    sign_in(Language::Go).await;
}

#[tokio::test]
async fn csharp() {
    sign_in(Language::CSharp).await;
}

#[tokio::test]
async fn java() {
    sign_in(Language::Java).await;
}
