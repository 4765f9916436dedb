//! The `aplomb` program.

fn main() -> std::process::ExitCode {
    aplomb::cli::run()
}
