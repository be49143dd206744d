//! Which data folder is meant.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::credentials::xdg_folder;

#[derive(Debug, Args)]
pub(crate) struct Data {
    /// The folder that holds everything the server keeps [default: the XDG data folder]
    #[arg(long, env = "TIDEBOOK_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Data {
    pub(crate) fn folder(self) -> Result<PathBuf> {
        match self.data {
            Some(data) => Ok(data),
            None => Ok(xdg_folder("XDG_DATA_HOME", ".local/share")?.join("tidebook")),
        }
    }
}
