//! Programs, run by their own languages' interpreters.

use std::process::Command;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tower_sso::kit::{Language, Program};

/// The file's name, the command, and the Debian package that has it.
fn interpreter(language: Language) -> (&'static str, Command, &'static str) {
    match language {
        Language::Python => {
            let python = std::env::var_os("TOWER_SSO_PYTHON");
            let python = python.unwrap_or_else(|| panic!("TOWER_SSO_PYTHON is not set: run scripts/test"));
            ("partner.py", Command::new(python), "python3")
        }
        Language::Php => ("partner.php", Command::new("php"), "php-cli"),
        Language::Node => ("partner.cjs", Command::new("node"), "nodejs"),
        Language::Ruby => ("partner.rb", Command::new("ruby"), "ruby"),
        Language::Go => ("partner.go", with("go", "run"), "golang-go"),
        // Compiled first, by `prepare`.
        Language::CSharp => ("partner.exe", Command::new("mono"), "mono-mcs and mono-runtime"),
        Language::Java => ("Partner.java", Command::new("java"), "default-jdk-headless"),
        other => panic!("{other:?}: not in this test"),
    }
}

fn with(program: &str, argument: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(argument);
    command
}

/// What the program prints.
pub(crate) fn run(program: &Program) -> String {
    let directory = tempfile::tempdir().unwrap();
    let (name, mut command, package) = interpreter(program.language);
    let file = directory.path().join(name);
    if program.language == Language::CSharp {
        let source = file.with_extension("cs");
        std::fs::write(&source, &program.source).unwrap();
        let mut out = std::ffi::OsString::from("-out:");
        out.push(&file);
        output(with("mcs", "-r:System.Core").arg(out).arg(source), program, package);
    } else {
        std::fs::write(&file, &program.source).unwrap();
    }
    output(command.arg(&file), program, package)
}

fn output(command: &mut Command, program: &Program, package: &str) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}. Run scripts/test, which installs it (Debian: {package})");
    });
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}:\n{problem}\n{}", program.source);
    String::from_utf8(output.stdout).unwrap()
}

/// A request as `.http` files have it.
pub(crate) fn request(text: &str) -> Request<Full<Bytes>> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, uri) = lines.next().unwrap().split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(uri);
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    request.body(Full::new(Bytes::from(body.to_owned()))).unwrap_or_else(|error| panic!("{error}: {text}"))
}
