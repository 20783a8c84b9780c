//! Where a path of a token file leads.

use std::path::{Path, PathBuf};

/// The name of the folder in the original, which its paths begin with.
const FOLDER: &str = "configs";

/// From where paths are followed.
#[derive(Debug, Clone)]
pub struct Places {
    /// The folder of settings.
    pub folder: PathBuf,
    /// The folder of the person.
    pub home: Option<PathBuf>,
}

impl Places {
    /// The places that a path may mean, the likeliest first: what it says in full; within the home; below the parent of the folder,
    /// where the original ran; below the folder; and below the folder what follows `configs/`, for a folder that
    /// was moved or has another name.
    pub fn candidates(&self, written: &str) -> Vec<PathBuf> {
        let plain = written.trim().replace('\\', "/");
        let mut found = Vec::new();
        if plain.starts_with('/') || has_drive(&plain) {
            found.push(PathBuf::from(&plain));
        } else if let Some(rest) = plain.strip_prefix("~/") {
            found.extend(self.home.as_ref().map(|home| home.join(rest)));
        } else {
            found.extend(self.folder.parent().map(|parent| parent.join(&plain)));
            found.push(self.folder.join(&plain));
        }
        found.extend(behind_folder(&plain).map(|rest| self.folder.join(rest)));
        found
    }

    /// The first place of a path where something is.
    pub fn find(&self, written: &str) -> Option<PathBuf> {
        self.candidates(written).into_iter().find(|place| place.exists())
    }
}

/// The path within an exported folder that a path of a token file names; absent where it leads out of it.
pub fn inside(written: &str) -> Option<String> {
    let plain = written.trim().replace('\\', "/");
    let relative = match behind_folder(&plain) {
        Some(rest) => rest,
        None if plain.starts_with(['/', '~']) || has_drive(&plain) => return None,
        None => &plain,
    };
    let parts: Vec<&str> = relative.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let leads_out = parts.is_empty() || parts.iter().any(|part| *part == ".." || part.contains(['\0', ':']));
    (!leads_out).then(|| parts.join("/"))
}

/// Whether a path begins with a drive, as in `C:/work`.
fn has_drive(plain: &str) -> bool {
    plain.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) && plain.get(1..3) == Some(":/")
}

/// What follows the last part of a path that is called as the folder of the original is.
fn behind_folder(plain: &str) -> Option<&str> {
    let marked = format!("/{FOLDER}/");
    if let Some(at) = plain.rfind(&marked) {
        return plain.get(at + marked.len()..);
    }
    plain.strip_prefix(FOLDER)?.strip_prefix('/')
}

/// A path as text, with `/` between its parts.
pub fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        Places { folder: "/srv/app/configs".into(), home: Some("/home/me".into()) }
    }

    #[test]
    fn every_way_to_write_a_path_leads_to_the_file() {
        for written in
            ["./configs/kiro/a.json", "configs/kiro/a.json", ".\\configs\\kiro\\a.json", "configs\\kiro/a.json"]
        {
            assert_eq!(places().candidates(written)[0], Path::new("/srv/app").join(written.replace('\\', "/")));
            assert_eq!(places().candidates(written).last().unwrap(), Path::new("/srv/app/configs/kiro/a.json"));
            assert_eq!(inside(written).as_deref(), Some("kiro/a.json"), "{written}");
        }
        assert_eq!(places().candidates("kiro/a.json")[1], Path::new("/srv/app/configs/kiro/a.json"));
        assert_eq!(places().candidates("~/.qwen/o.json"), [Path::new("/home/me/.qwen/o.json")]);
        assert_eq!(places().candidates("/etc/o.json"), [Path::new("/etc/o.json")]);
        let moved = places().candidates("C:\\gateway\\configs\\gemini\\o.json");
        assert_eq!(moved.last().unwrap(), Path::new("/srv/app/configs/gemini/o.json"));
    }

    #[test]
    fn a_path_that_leads_out_of_the_folder_is_not_written_there() {
        for written in
            ["/etc/passwd", "~/.ssh/id", "../up.json", "configs/../../up.json", "C:/x.json", "", "configs/", "."]
        {
            assert_eq!(inside(written), None, "{written}");
        }
    }
}
