//! The first page of a small inbox and of a large one: an index is followed, and nothing else is looked at.

use crate::figure::{Figure, Target};
use crate::{rounds, stage};
use anyhow::{Result, ensure};
use mainstay_api::mail::ListMessages;
use mainstay_core::mail::{Appended, MailService};
use mainstay_core::{Caller, Stores};
use mainstay_testkit::fixtures::RedisServer;
use std::sync::Arc;
use std::time::Instant;

const SMALL: usize = 100;
const LARGE: usize = 100_000;
const PAGE: u32 = 100;
const CALLS: usize = 200;
/// Appends at a time while an inbox is filled.
const FILL_IN_FLIGHT: usize = 128;

/// Measures.
pub async fn measure() -> Result<Vec<Figure>> {
    let folder = stage::folder()?;
    let server = RedisServer::start().await?;
    let sqlite = format!("sqlite:{}", folder.path().join("mainstay.db").display());
    let mut figures = Vec::new();
    for (name, url) in [("sqlite", sqlite), ("redis", server.url())] {
        let stores = stage::open(&url).await?;
        for (inbox, size) in [("small", SMALL), ("large", LARGE)] {
            fill(&stores, inbox, size).await?;
        }
        figures.extend(pages(name, &stage::mail(&stores)).await?);
        stores.probe.close().await;
    }
    Ok(figures)
}

async fn pages(store: &str, mail: &MailService) -> Result<Vec<Figure>> {
    let (small_reader, large_reader) = (stage::caller("small", "reader")?, stage::caller("large", "reader")?);
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for _ in 0..CALLS {
        small.push(page(mail, &small_reader).await?);
        large.push(page(mail, &large_reader).await?);
    }
    let figure = |size, times: &[f64]| {
        let name = format!("{store}: 100 newest pending of {size}");
        Figure::plain(name, rounds::median(times), "ms").target(Target::AtMost(10.0))
    };
    let ratio = rounds::median(&large) / rounds::median(&small);
    Ok(vec![
        figure(SMALL, &small),
        figure(LARGE, &large),
        Figure::plain(format!("{store}: large to small"), ratio, "x").target(Target::AtMost(1.5)),
    ])
}

/// The time of one call, in milliseconds.
async fn page(mail: &MailService, reader: &Caller) -> Result<f64> {
    let list = ListMessages {
        recipient: reader.instance.clone(),
        pending: true,
        limit: Some(PAGE),
        ..ListMessages::default()
    };
    let began = Instant::now();
    let page = mail.list(reader, list).await?;
    let took = rounds::millis(began.elapsed());
    ensure!(page.items.len() == 100, "the page holds {} messages", page.items.len());
    Ok(took)
}

async fn fill(stores: &Stores, in_namespace: &str, size: usize) -> Result<()> {
    let store = Arc::clone(&stores.mail);
    let appends = (0..size).map(|_| stage::append(in_namespace, "reader")).collect::<Result<Vec<_>>>()?;
    let append = move |append| {
        let store = Arc::clone(&store);
        async move {
            let outcome = store.append(append).await?;
            ensure!(matches!(outcome, Appended::Stored { .. }), "an append came to {outcome:?}");
            Ok(())
        }
    };
    rounds::rate(FILL_IN_FLIGHT, appends, append).await.map(drop)
}
