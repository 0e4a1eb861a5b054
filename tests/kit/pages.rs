//! What is on the pages.

use http_body_util::Full;
use serde_json::Value;
use tower_sso::webhook::{self, EventId};

use crate::mechanisms::{self, CANARIES, Mechanism};
use crate::support::{clock, outcome, replay};

#[tokio::test]
async fn vectors_pass_once() {
    for Mechanism { name, kit, app, second } in mechanisms::at_a_fixed_time() {
        let vector = || kit.vector().clone().map(Full::new);
        assert_eq!(outcome(&app.send(vector()).await), "ok", "{name}: {:?}\n{}", kit.vector(), kit.markdown());
        let again = app.send(vector()).await;
        assert_eq!((outcome(&again), app.inner.calls()), second, "{name}");
    }
}

/// The same bytes would be refused as `expired` a few minutes later.
#[test]
fn a_page_says_how_a_call_is_retried() {
    let start = || webhook::layer::<Value>().secrets(["a secret shared with Acme"]).handler_remembers();
    let timed = || start().separator(',').timestamp_element("t=").prefix("v1=").signed("{timestamp}.{body}");
    for (layer, said, why) in [
        (start(), "send the same bytes again; a duplicate", "no time"),
        (
            timed(),
            "send the same bytes again while they are taken: signed with a new time, it is another call",
            "a time",
        ),
        (
            timed().event_id(EventId::field("event_id")),
            "send the same event again, signed with a new time; a duplicate",
            "a time and an id",
        ),
    ] {
        let layer = layer.replay(replay()).clock(clock()).build().unwrap();
        let page = layer.kit("https://rp.example/hook").build().unwrap().markdown();
        assert!(page.contains(said), "{why}: {page}");
    }
}

#[test]
fn nothing_of_the_layers_keys_is_on_a_page() {
    for Mechanism { name, kit, .. } in mechanisms::at_a_fixed_time() {
        let debug = format!("{kit:?}");
        for text in [kit.markdown(), kit.html(), debug] {
            for canary in CANARIES {
                let bare = canary.trim_start_matches("whsec_");
                assert!(!text.contains(bare), "{name}: {canary} in {text}");
            }
        }
    }
}

#[test]
fn pages_show_the_vector_and_every_program() {
    for Mechanism { name, kit, .. } in mechanisms::at_a_fixed_time() {
        let (markdown, html) = (kit.markdown(), kit.html());
        let uri = kit.vector().uri().to_string();
        assert!(markdown.contains(&uri), "{name}: {uri} in {markdown}");
        assert!(html.contains(&uri.replace('&', "&amp;").replace('\'', "&#39;")), "{name}: {uri} in {html}");
        for program in kit.programs() {
            assert!(markdown.contains(program.source.trim_end()), "{name}: {:?}", program.language);
        }
        // The partner's name is text, and the claims' values too.
        assert!(html.contains("<h1>Acme &lt;&amp; Co&gt;: requests to"), "{html}");
        assert!(!html.contains("& Co>"), "{html}");
        if let Ok(directory) = std::env::var("TOWER_SSO_KIT_PAGES") {
            std::fs::write(format!("{directory}/{name}.md"), markdown).unwrap();
            std::fs::write(format!("{directory}/{name}.html"), html).unwrap();
        }
    }
}
