//! Where values come from: flags, then the environment, then settings files, then defaults.

use super::file::Content;
use super::table::Setting;
use super::{Refusal, refusal};
use mainstay_api::TenantId;
use mainstay_api::conversations::Retention;
use mainstay_server::identity::tokens::IssuerConfig;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Longest settings file or secret file, in bytes.
const MAX_FILE_BYTES: u64 = 1_024 * 1_024;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command.
    Flag,
    /// The environment.
    Environment,
    /// A settings file that the user chose, or of the user's configuration folder.
    UserFile,
    /// The settings file of the working directory, which may be anybody's, such as a cloned repository's.
    ProjectFile,
    /// Nobody said anything.
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Flag => "given as a flag",
            Self::Environment => "from the environment",
            Self::UserFile | Self::ProjectFile => "from mainstay.toml",
            Self::Default => "the default",
        })
    }
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The value, as it was written.
    pub text: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// What the process was started with.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Settings given as flags.
    pub flags: BTreeMap<Setting, String>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// The working directory, where a settings file may be.
    pub working_dir: Option<PathBuf>,
    /// The user's configuration folder of Mainstay.
    pub config_dir: Option<PathBuf>,
    /// The user's data folder of Mainstay.
    pub data_dir: Option<PathBuf>,
    /// The number of the user, for want of a name.
    pub user_id: Option<u32>,
}

impl Surroundings {
    /// Those of this process.
    #[must_use]
    pub fn of_process(flags: BTreeMap<Setting, String>) -> Self {
        use etcetera::BaseStrategy;
        let base = etcetera::choose_base_strategy().ok();
        let text = |name: std::ffi::OsString| name.into_string().ok();
        Self {
            flags,
            environment: std::env::vars_os().filter_map(|(k, v)| Some((text(k)?, text(v)?))).collect(),
            working_dir: std::env::current_dir().ok(),
            config_dir: base.as_ref().map(|base| base.config_dir().join("mainstay")),
            data_dir: base.as_ref().map(|base| base.data_dir().join("mainstay")),
            user_id: user_id(),
        }
    }
}

#[cfg(unix)]
fn user_id() -> Option<u32> {
    Some(rustix::process::getuid().as_raw())
}

#[cfg(not(unix))]
fn user_id() -> Option<u32> {
    None
}

/// The layers of values, ready to be asked.
pub struct Layers {
    surroundings: Surroundings,
    file: Option<(Origin, Content)>,
}

impl Layers {
    /// Reads the settings file, where there is one.
    ///
    /// # Errors
    /// `settings.invalid`: the file cannot be read, is no TOML, or holds a key that is none.
    pub fn read(surroundings: Surroundings) -> Result<Self, Refusal> {
        let mut layers = Self { surroundings, file: None };
        if let Some((origin, path)) = layers.settings_file() {
            let text = read_bounded(&path)?;
            layers.file = Some((origin, super::file::parse(&text, &path)?));
        }
        Ok(layers)
    }

    /// The surroundings that the layers were read from.
    #[must_use]
    pub fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// How long the conversations of some tenants are kept, by the settings file.
    #[must_use]
    pub fn conversation_tenants(&self) -> BTreeMap<TenantId, Retention> {
        self.file.as_ref().map(|(_, file)| file.conversation_tenants.clone()).unwrap_or_default()
    }

    /// The trusted issuers of the settings file.
    #[must_use]
    pub fn issuers(&self) -> (Origin, Vec<IssuerConfig>) {
        match &self.file {
            Some((origin, file)) => (*origin, file.issuers.clone()),
            None => (Origin::Default, Vec::new()),
        }
    }

    /// What the settings file says of streams of events.
    pub(super) fn streams(&self) -> &[super::streams::Said] {
        self.file.as_ref().map(|(_, file)| file.streams.as_slice()).unwrap_or_default()
    }

    /// The value of a setting; `None` where nobody gave one and there is no default.
    ///
    /// # Errors
    /// `settings.invalid`: a secret's file cannot be read.
    pub fn find(&self, setting: Setting) -> Result<Option<Found>, Refusal> {
        let entry = setting.entry();
        let found = |text: &String, origin| Ok(Some(Found { text: text.clone(), origin }));
        if let Some(text) = self.surroundings.flags.get(&setting) {
            return found(text, Origin::Flag);
        }
        if let Some(text) = self.variable(entry.variable) {
            return found(text, Origin::Environment);
        }
        let file = format!("{}_FILE", entry.variable);
        if let Some(path) = self.variable(&file).filter(|_| entry.secret) {
            let text = read_bounded(Path::new(path))?.trim().to_owned();
            return Ok(Some(Found { text, origin: Origin::Environment }));
        }
        // Another program's variable knows less about this program than its own settings file does, but what is in
        // the environment is closer to the call; the order of the layers stays.
        if let Some(text) = entry.aliases.iter().find_map(|alias| self.variable(alias)) {
            return found(text, Origin::Environment);
        }
        let in_file = self.file.as_ref().and_then(|(origin, file)| Some((file.values.get(entry.key)?, *origin)));
        if let Some((text, origin)) = in_file {
            return found(text, origin);
        }
        let default = Some(entry.default).filter(|text| !text.is_empty());
        Ok(default.map(|text| Found { text: text.into(), origin: Origin::Default }))
    }

    /// A variable that is set to something.
    fn variable(&self, name: &str) -> Option<&String> {
        self.surroundings.environment.get(name).filter(|value| !value.is_empty())
    }

    fn settings_file(&self) -> Option<(Origin, PathBuf)> {
        let Surroundings { flags, working_dir, config_dir, .. } = &self.surroundings;
        let chosen = flags.get(&Setting::Config).or_else(|| self.variable(Setting::Config.entry().variable));
        if let Some(path) = chosen {
            return Some((Origin::UserFile, path.into()));
        }
        let in_dir = |dir: &Option<PathBuf>| dir.as_ref().map(|dir| dir.join("mainstay.toml")).filter(|p| p.is_file());
        let project = in_dir(working_dir).map(|path| (Origin::ProjectFile, path));
        project.or_else(|| in_dir(config_dir).map(|path| (Origin::UserFile, path)))
    }
}

pub(super) fn read_bounded(path: &Path) -> Result<String, Refusal> {
    use std::io::Read;
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(text),
        Err(cause) => {
            let detail = format!("the file {} cannot be read: {cause}", path.display());
            Err(refusal(detail, "Check the path and the permissions of the file."))
        }
    }
}
