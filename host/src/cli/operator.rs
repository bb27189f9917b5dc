//! Speaking to the admin port of a running host.

use std::{io::BufRead, path::PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use futures::StreamExt;
use reqwest::{Client, RequestBuilder, Response};
use serde::de::DeserializeOwned;

use super::{output::out, steps::Steps};
use crate::{
    control::{ControlFile, FILE},
    rollout::Report,
    tls,
};

/// Where the admin port is, and the token that opens it.
#[derive(Debug, Args)]
pub(super) struct ControlFlags {
    /// Folder of a host on this machine, where its admin port's address and token stand
    #[arg(long, value_name = "FOLDER", default_value = ".plaza")]
    state_dir: PathBuf,

    /// The admin port of another host, with --token-file
    #[arg(long, value_name = "URL", requires = "token_file")]
    control: Option<String>,

    /// A file with that port's token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// A client of an admin port.
pub(super) struct Operator {
    client: Client,
    address: String,
    token: String,
}

impl ControlFlags {
    /// Who speaks to that port.
    ///
    /// # Errors
    /// When address or token cannot be found.
    pub(super) fn operator(&self) -> anyhow::Result<Operator> {
        let token = self.token_file.as_ref().map(|file| {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            anyhow::Ok(text.trim().to_owned())
        });
        let (address, token) = match (&self.control, token.transpose()?) {
            (Some(address), Some(token)) => (address.trim_end_matches('/').to_owned(), token),
            (_, token) => {
                let found = self.control_file()?;
                (found.address, token.unwrap_or(found.token))
            }
        };
        Ok(Operator {
            client: Client::builder().tls_backend_preconfigured(tls::client(tls::mozilla())?).build()?,
            address,
            token,
        })
    }

    fn control_file(&self) -> anyhow::Result<ControlFile> {
        let file = self.state_dir.join(FILE);
        let text = std::fs::read(&file).with_context(|| {
            format!(
                "cannot read {}: start a host with `plaza up`, or name its folder with --state-dir, or its address with --control and --token-file",
                file.display()
            )
        })?;
        serde_json::from_slice(&text).with_context(|| format!("{} is not what a host writes", file.display()))
    }
}

impl Operator {
    /// Reads something.
    ///
    /// # Errors
    /// When the host does not answer, or refuses.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let response = self.send(self.client.get(self.url(path))).await?;
        Ok(response.json().await?)
    }

    /// A request to change something.
    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(self.url(path))
    }

    /// A request to change something, at a path of names that may hold anything.
    ///
    /// # Errors
    /// When the host's address is none.
    pub(super) fn post_to(&self, names: &[&str]) -> anyhow::Result<RequestBuilder> {
        Ok(self.client.post(self.place(names)?))
    }

    /// A request to read something, at a path of names that may hold anything.
    ///
    /// # Errors
    /// When the host's address is none.
    pub(super) fn get_from(&self, names: &[&str]) -> anyhow::Result<RequestBuilder> {
        Ok(self.client.get(self.place(names)?))
    }

    /// Asks for something that a request describes.
    ///
    /// # Errors
    /// When the host does not answer, or refuses.
    pub(super) async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        Ok(self.send(request).await?.json().await?)
    }

    /// Changes something and shows each step; returns whether it went through.
    ///
    /// # Errors
    /// When the host does not answer, or refuses.
    pub(super) async fn change(&self, request: RequestBuilder) -> anyhow::Result<bool> {
        let (mut steps, mut last) = (Steps::on_stdout(), None);
        let told = |report: Report| {
            steps.show(&report);
            last = Some(report);
        };
        let heard = self.lines(request, told).await;
        steps.end();
        heard?;
        match last {
            Some(Report::Finished { .. } | Report::Applied { .. }) => Ok(true),
            Some(Report::Refused { .. }) => Ok(false),
            _ => bail!("the host broke off; `plaza status` tells what it serves"),
        }
    }

    /// Asks for something that comes in lines of JSON, and hears each as it comes.
    ///
    /// # Errors
    /// When the host does not answer, refuses, or goes away.
    pub(super) async fn lines<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        mut hear: impl FnMut(T),
    ) -> anyhow::Result<()> {
        let mut body = self.send(request).await?.bytes_stream();
        let mut waiting = Vec::new();
        while let Some(piece) = body.next().await {
            waiting.extend_from_slice(&piece.context("the host went away; `plaza status` tells what it serves")?);
            while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = waiting.drain(..=end).collect();
                hear(serde_json::from_slice(&line).context("the host speaks another version of this protocol")?);
            }
        }
        Ok(())
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let sent = request.bearer_auth(&self.token).send().await;
        let response = sent.with_context(|| format!("{} does not answer; is the host running?", self.address))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.unwrap_or_default();
        let problem: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let detail = problem.as_ref().and_then(|problem| problem["detail"].as_str()).unwrap_or(text.trim());
        if status == reqwest::StatusCode::UNAUTHORIZED {
            bail!("{} refuses the token; the right one stands in {FILE} of its state folder", self.address);
        }
        bail!("{} answered {status}: {detail}", self.address)
    }

    fn place(&self, names: &[&str]) -> anyhow::Result<reqwest::Url> {
        let mut url = reqwest::Url::parse(&self.address).context("write the address as http://…")?;
        url.path_segments_mut().map_err(|()| anyhow!("write the address as http://…"))?.pop_if_empty().extend(names);
        Ok(url)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}

/// Asks a person.
///
/// # Errors
/// When the terminal is gone.
pub(super) fn agreed(question: &str) -> anyhow::Result<bool> {
    out!("{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Does something that waits for a network.
///
/// # Errors
/// What it says.
pub(super) fn run<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
