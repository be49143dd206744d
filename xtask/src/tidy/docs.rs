//! The docs name only commands that exist.

use super::files::SourceFile;

/// `tidebook`: the names `tidebook` answers to, where they are known.
pub(crate) fn check(files: &[SourceFile], xtask: &[String], tidebook: Option<&[String]>) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| is_doc(file)) {
        for (number, code) in code_of(&file.text) {
            let mut report = |program: &str, command: &str| {
                findings.push(format!("{}:{number}: there is no `{program} {command}`", file.path));
            };
            if let Some(command) = xtask_command(code).filter(|command| !is_among(xtask, command)) {
                report("cargo xtask", command);
            }
            let unknown = |command: &&str| tidebook.is_some_and(|names| !is_among(names, command));
            if let Some(command) = tidebook_command(code).filter(unknown) {
                report("tidebook", command);
            }
        }
    }
    findings
}

/// The subcommands of `tidebook`: the variants of the `enum Command` that clap reads.
pub(crate) fn tidebook_commands(files: &[SourceFile]) -> Option<Vec<String>> {
    let mut sources = files.iter().filter(|file| file.crate_folder() == Some("cli"));
    let declaration = sources.find_map(|file| Some(file.text.split_once("enum Command {")?.1))?;
    let mut names = vec!["help".to_owned()];
    let mut depth = 0_i32;
    for line in declaration.lines().map(str::trim) {
        if depth == 0 && line.starts_with(|c: char| c.is_ascii_uppercase()) {
            let variant = line.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            names.push(kebab_case(variant));
        }
        if !line.starts_with("//") {
            depth += line.chars().map(nesting).sum::<i32>();
        }
        if depth < 0 {
            break;
        }
    }
    Some(names)
}

fn nesting(character: char) -> i32 {
    match character {
        '{' | '(' | '[' => 1,
        '}' | ')' | ']' => -1,
        _ => 0,
    }
}

/// As clap names a variant.
fn kebab_case(variant: &str) -> String {
    let mut name = String::new();
    for character in variant.chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}

fn is_doc(file: &SourceFile) -> bool {
    let in_place = !file.path.contains('/') || file.path.starts_with("docs/");
    in_place && file.path.ends_with(".md")
}

fn is_among(names: &[String], command: &str) -> bool {
    names.iter().any(|name| name == command)
}

/// What is set as code: the lines between fences, and the spans between backticks. With line numbers.
fn code_of(markdown: &str) -> Vec<(usize, &str)> {
    let mut code = Vec::new();
    let mut fenced = false;
    for (index, line) in markdown.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            code.push((index + 1, line));
        } else {
            code.extend(line.split('`').skip(1).step_by(2).map(|span| (index + 1, span)));
        }
    }
    code
}

fn xtask_command(code: &str) -> Option<&str> {
    let (_, rest) = code.split_once("cargo xtask ")?;
    command_name(rest.split_whitespace().next()?)
}

/// Of a line that runs `tidebook`, by whatever path, with variables set before it or not.
fn tidebook_command(code: &str) -> Option<&str> {
    let mut words = code.split_whitespace().skip_while(|word| *word == "$" || word.contains('='));
    let program = words.next()?;
    let is_tidebook = program.rsplit('/').next() == Some("tidebook");
    command_name(words.next().filter(|_| is_tidebook)?)
}

/// Neither an option nor a placeholder.
fn command_name(word: &str) -> Option<&str> {
    let is_name = word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
    is_name.then_some(word)
}

#[cfg(test)]
mod tests {
    use super::super::files::file;
    use super::*;

    fn findings(readme: &str) -> Vec<String> {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        check(&[file("README.md", readme)], &names(&["run", "test"]), Some(&names(&["serve"])))
    }

    #[test]
    fn commands_that_do_not_exist_are_found() {
        assert_eq!(findings("Try `cargo xtask fly`."), ["README.md:1: there is no `cargo xtask fly`"]);
        assert_eq!(findings("```\n$ A=1 target/release/tidebook dig --deep\n```").len(), 1);
        assert_eq!(findings("`tidebook dig`").len(), 1);
    }

    #[test]
    fn commands_that_exist_and_prose_are_not() {
        for readme in [
            "`cargo xtask run -- --listen 0.0.0.0:80`, `cargo xtask CMD`, `cargo xtask --help`",
            "```sh\ncargo xtask test\ntidebook serve\n```",
            "A tidebook dig is no command, nor is `tidebook --version` or `tidebook.db`.",
        ] {
            assert_eq!(findings(readme), Vec::<String>::new());
        }
    }

    #[test]
    fn the_names_are_read_from_the_enum() {
        let source = "#[derive(Subcommand)]\nenum Command {\n    /// Serve {it}\n    Serve(Box<Serve>),\n    \
                      #[command(\n        about = \"x\"\n    )]\n    AddContact {\n        Name: u8,\n    },\n}\nstruct Other;";
        let names = tidebook_commands(&[file("crates/cli/src/main.rs", source)]).unwrap();
        assert_eq!(names, ["help", "serve", "add-contact"]);
        assert!(tidebook_commands(&[]).is_none());
    }
}
