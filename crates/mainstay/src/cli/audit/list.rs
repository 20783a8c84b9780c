//! `mainstay audit list`.

use crate::cli::context::Context;
use crate::cli::span::Moment;
use crate::failure::Result;
use clap::Args;
use mainstay_api::audit::{AuditEntry, AuditOutcome, ChainId, ListAudit};

/// Lists entries of the audit trail, newest first.
#[derive(Debug, Args)]
pub struct List {
    /// The chain: `server` or `namespace:<name>`; that of the namespace when absent.
    #[arg(long)]
    chain: Option<ChainId>,
    /// Only what this principal did, such as owner or user:usr-0123456789abcdef.
    #[arg(long)]
    principal: Option<String>,
    /// Only what was done for this user.
    #[arg(long)]
    user: Option<String>,
    /// Only what was done for users of this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// Only actions that begin with this, such as conversations.
    #[arg(long)]
    action: Option<String>,
    /// Only resources of this kind.
    #[arg(long, value_name = "KIND")]
    resource_kind: Option<String>,
    /// Only the resource with this id.
    #[arg(long, value_name = "ID")]
    resource_id: Option<String>,
    /// Only what ended like this: started, success, refused or failed.
    #[arg(long, value_parser = outcome)]
    outcome: Option<AuditOutcome>,
    /// Only what belongs to this request.
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// Only entries since then: a span such as 24h, or a time.
    #[arg(long, value_name = "WHEN")]
    since: Option<Moment>,
    /// Only entries before then.
    #[arg(long, value_name = "WHEN")]
    until: Option<Moment>,
    /// Entries at most, 1 to 1000.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Where the list before this one ended.
    #[arg(long)]
    cursor: Option<String>,
}

impl List {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let now = context.now();
        let list = ListAudit {
            chain: self.chain,
            principal: self.principal,
            user: self.user,
            tenant: self.tenant,
            action: self.action,
            class: None,
            resource_kind: self.resource_kind,
            resource_id: self.resource_id,
            outcome: self.outcome,
            request_id: self.request_id,
            since: self.since.map(|when| when.before(now)),
            until: self.until.map(|when| when.before(now)),
            limit: Some(self.limit),
            cursor: self.cursor,
        };
        let page = context.client().await?.audit().list(&list).await?;
        context.printer.data(&page, || {
            let head = ["SEQ", "TIME", "PRINCIPAL", "ACTION", "RESOURCE", "OUTCOME", "CODE"];
            context.printer.rows(&head, page.items.iter().map(row).collect())
        })?;
        if !context.printer.is_json() {
            if page.items.is_empty() {
                context.printer.note("no entries");
            }
            if let Some(next) = &page.next {
                context.printer.note(&format!("there is more: --cursor {next}"));
            }
        }
        Ok(())
    }
}

fn row(entry: &AuditEntry) -> Vec<String> {
    let resource = entry.resource.as_ref().map_or_else(String::new, |resource| match &resource.id {
        Some(id) => format!("{} {id}", resource.kind),
        None => resource.kind.clone(),
    });
    vec![
        entry.seq.to_string(),
        entry.at.to_seconds_text(),
        entry.principal.clone(),
        entry.action.clone(),
        resource,
        entry.outcome.as_str().into(),
        entry.code.clone().unwrap_or_default(),
    ]
}

fn outcome(text: &str) -> Result<AuditOutcome, String> {
    let all = [AuditOutcome::Started, AuditOutcome::Success, AuditOutcome::Refused, AuditOutcome::Failed];
    let found = all.into_iter().find(|outcome| outcome.as_str() == text);
    found.ok_or_else(|| "expected started, success, refused or failed".into())
}
