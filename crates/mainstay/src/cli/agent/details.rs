//! What an instance says of itself.

use clap::Args;
use mainstay_api::presence::RegisterInstance;
use std::path::{Path, PathBuf};

/// Folders looked through for a repository, from the working directory up.
const MAX_DEPTH: usize = 64;
/// Longest file of git that is read, in bytes.
const MAX_GIT_FILE_BYTES: u64 = 4_096;

/// What an instance says of itself; what is not said is found out.
#[derive(Debug, Clone, Default, Args)]
pub struct Details {
    /// What it does in the team, such as backend.
    #[arg(long)]
    role: Option<String>,
    /// The machine it runs on; this one when absent.
    #[arg(long)]
    host: Option<String>,
    /// The repository it works in; that of the working directory when absent.
    #[arg(long)]
    repository: Option<String>,
    /// The branch it works on; the one checked out when absent.
    #[arg(long)]
    branch: Option<String>,
    /// Something it can be asked for; may be repeated.
    #[arg(long = "capability", value_name = "NAME")]
    capabilities: Vec<String>,
    /// What it is doing now.
    #[arg(long = "work", value_name = "TEXT")]
    current_work: Option<String>,
}

impl Details {
    /// The registration of a process in a run.
    pub fn registration(self, process_id: Option<u32>, session_id: Option<String>) -> RegisterInstance {
        let git = std::env::current_dir().ok().and_then(|dir| Checkout::find(&dir));
        let (repository, branch) = git.map_or((None, None), |git| (Some(git.root.display().to_string()), git.branch));
        RegisterInstance {
            role: self.role,
            host: self.host.or_else(host),
            process_id,
            repository: self.repository.or(repository),
            branch: self.branch.or(branch),
            capabilities: self.capabilities,
            current_work: self.current_work,
            session_id,
        }
    }
}

#[cfg(unix)]
fn host() -> Option<String> {
    rustix::system::uname().nodename().to_str().ok().map(str::to_owned)
}

#[cfg(not(unix))]
fn host() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}

/// A checked-out git repository.
#[derive(Debug, PartialEq, Eq)]
struct Checkout {
    root: PathBuf,
    branch: Option<String>,
}

impl Checkout {
    /// The checkout that holds a folder, read from its files: starting git would cost more than the whole command.
    fn find(dir: &Path) -> Option<Self> {
        let root = dir.ancestors().take(MAX_DEPTH).find(|dir| dir.join(".git").exists())?;
        let head = read(&git_dir(root)?.join("HEAD"))?;
        let branch = head.trim().strip_prefix("ref: refs/heads/").map(str::to_owned);
        Some(Self { root: root.into(), branch })
    }
}

/// The folder `.git`, or the one that the file of this name in a linked work tree names.
fn git_dir(root: &Path) -> Option<PathBuf> {
    let dot_git = root.join(".git");
    if dot_git.is_dir() {
        return Some(dot_git);
    }
    let link = read(&dot_git)?;
    Some(root.join(link.trim().strip_prefix("gitdir: ")?))
}

fn read(path: &Path) -> Option<String> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(path).ok()?.take(MAX_GIT_FILE_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_branch_is_found_from_below_in_a_linked_work_tree_and_not_when_detached() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        for folder in ["main/.git/worktrees/w", "main/src/deep", "linked"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        std::fs::write(at("main/.git/HEAD"), "ref: refs/heads/feature/x\n").unwrap();
        std::fs::write(at("main/.git/worktrees/w/HEAD"), "4b825dc642cb6eb9a060e54bf8d69288fbee4904\n").unwrap();
        std::fs::write(at("linked/.git"), format!("gitdir: {}\n", at("main/.git/worktrees/w").display())).unwrap();

        let main = Checkout::find(&at("main/src/deep")).unwrap();
        assert_eq!(main, Checkout { root: at("main"), branch: Some("feature/x".into()) });
        let linked = Checkout::find(&at("linked")).unwrap();
        assert_eq!(linked, Checkout { root: at("linked"), branch: None });
    }
}
