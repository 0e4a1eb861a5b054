#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use tempfile::TempDir;

use super::*;

const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const TWO: &str = "3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8=";

struct Fixture {
    dir: TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let fixture = Self { dir: TempDir::new().unwrap() };
        fixture.master_keys(ONE);
        fixture.ok(&["encrypt"], "").await;
        fixture
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn master_keys(&self, text: &str) {
        std::fs::write(self.path("master-keys"), text).unwrap();
    }

    async fn run(&self, command: &[&str], input: &str) -> Result<String, String> {
        let (database, file) = (format!("sqlite://{}?mode=rwc", self.path("keys.db")), self.path("master-keys"));
        let before = ["keys", "--database", &database, "--namespace", "n", "--master-key-file", &file, "--as", "ada"];
        let arguments = Arguments::try_parse_from(before.iter().chain(command)).unwrap();
        let mut output = Vec::new();
        let done = run(arguments, &mut input.as_bytes(), &mut output).await;
        done.map(|()| String::from_utf8(output).unwrap()).map_err(|error| error.to_string())
    }

    async fn ok(&self, command: &[&str], input: &str) -> String {
        self.run(command, input).await.unwrap()
    }

    async fn fails(&self, command: &[&str], input: &str) -> String {
        self.run(command, input).await.unwrap_err()
    }
}

#[tokio::test]
async fn a_key_from_its_first_day_to_its_last() {
    let fixture = Fixture::new().await;
    assert!(fixture.fails(&["list"], "").await.contains("nobody has keys in the namespace \"n\""));
    assert!(fixture.fails(&["rotate", "4321", "--grace", "1h"], "some-secret").await.contains("call `add`"));
    fixture.ok(&["add", "4321"], "first-secret\n").await;
    fixture.ok(&["add", "8765"], "another-secret").await;
    assert!(fixture.fails(&["add", "4321"], "some-secret").await.contains("call `rotate`"));
    let after = fixture.ok(&["rotate", "4321", "--grace", "1h"], "second-secret\r\n").await;
    assert!(after.lines().count() == 2 && after.contains("\tuntil "), "{after}");
    let again = fixture.fails(&["rotate", "4321", "--grace", "1h"], "second-secret").await;
    assert!(again.contains("current key already"), "{again}");

    let list = fixture.ok(&["list"], "").await;
    let lines: Vec<Vec<&str>> = list.lines().map(|line| line.split('\t').collect()).collect();
    let said: Vec<_> = lines.iter().map(|line| (line[0], &line[2][..5], line[3], line[4])).collect();
    let expected = [("4321", "curre"), ("4321", "until"), ("8765", "curre")];
    assert_eq!(said, expected.map(|(tenant, state)| (tenant, state, "last used: never noted", "encrypted")));
    assert_eq!(fixture.ok(&["list", "8765"], "").await.lines().count(), 1);

    fixture.ok(&["end-previous", "4321"], "").await;
    assert_eq!(fixture.ok(&["list", "4321"], "").await.lines().count(), 1);
    fixture.ok(&["revoke", "4321"], "").await;
    assert!(fixture.fails(&["list", "4321"], "").await.contains("no keys"));
    assert!(fixture.fails(&["revoke", "4312"], "").await.contains("no keys"), "a slip in the name");

    let log = fixture.ok(&["log", "4321"], "").await;
    let what: Vec<_> = log.lines().map(|line| line.split('\t').skip(1).take(3).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(what, ["removed", "previous ended", "rotated", "created"].map(|what| format!("ada 4321 {what}")));
    assert_eq!(fixture.ok(&["log", "--most", "2"], "").await.lines().count(), 2);
    assert!(!(list + &log).contains("-secret"));
}

#[tokio::test]
async fn the_master_key_is_checked_and_rotated() {
    let fixture = Fixture::new().await;
    fixture.ok(&["add", "4321"], "first-secret").await;
    fixture.master_keys(TWO);
    for command in [&["list"][..], &["add", "1"], &["revoke", "4321"], &["encrypt"]] {
        assert!(fixture.fails(command, "some-secret").await.contains("not among"), "{command:?}");
    }
    fixture.master_keys(&format!("{TWO}\n{ONE}\n"));
    fixture.ok(&["encrypt"], "").await;
    fixture.master_keys(TWO);
    assert!(fixture.ok(&["list"], "").await.starts_with("4321\t"));
    fixture.master_keys("swordfish");
    let error = fixture.fails(&["list"], "").await;
    assert!(error.contains("openssl rand") && !error.contains("swordfish"), "{error}");
}

#[tokio::test]
async fn a_secret_that_cannot_be_right_is_refused() {
    let fixture = Fixture::new().await;
    for (secret, why) in [
        ("", "is empty"),
        ("\n", "is empty"),
        (" my-secret", "white space"),
        ("my-secret \n", "white space"),
        ("\"my-secret\"", "quotes"),
        ("\u{feff}my-secret", "byte order mark"),
        ("https://partner.example/keys", "URL"),
        ("1234567", "eight bytes"),
    ] {
        let error = fixture.fails(&["add", "4321"], secret).await;
        assert!(error.contains(why) && !error.contains("my-secret"), "{secret:?}: {error}");
    }
    assert!(fixture.fails(&["add", "4321", "--verbatim"], "").await.contains("is empty"));
    fixture.ok(&["add", "4321", "--verbatim"], "mine").await;
    assert!(fixture.fails(&["add", "8765", "--verbatim"], "mine").await.contains("another tenant"));
}

#[tokio::test]
async fn a_database_without_the_tables_is_no_riddle() {
    let fixture = Fixture { dir: TempDir::new().unwrap() };
    fixture.master_keys(ONE);
    let error = fixture.fails(&["list"], "").await;
    assert!(error.contains("is it the application's database?") && error.contains("`encrypt`"), "{error}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told_at_once() {
    let arguments =
        ["keys", "--database", "postgres://ada:hunter22@127.0.0.1:1/x", "--namespace", "n", "--as", "ada", "list"];
    let arguments = Arguments::try_parse_from(arguments).unwrap();
    let error = run(arguments, &mut "".as_bytes(), &mut Vec::new()).await.unwrap_err().to_string();
    assert!(error.contains("cannot open the database") && !error.contains("hunter22"), "{error}");
}
