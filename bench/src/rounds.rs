//! Measuring in rounds that take turns, so that a noisy machine disturbs both sides alike.

use anyhow::Result;
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The middle of some numbers, 0 of none.
pub fn median(numbers: &[f64]) -> f64 {
    quantile(numbers, 0.5)
}

/// The number below which this share of them lies, 0 of none.
pub fn quantile(numbers: &[f64], share: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
    #[expect(clippy::cast_precision_loss, reason = "lists are short")]
    let place = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(place).copied().unwrap_or_default()
}

/// The median of the ratios, round by round.
pub fn ratio(of: &[f64], to: &[f64]) -> f64 {
    median(&of.iter().zip(to).map(|(of, to)| of / to).collect::<Vec<_>>())
}

/// A span in milliseconds.
pub fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

/// Runs calls, this many at a time, and returns how many were done in a second.
pub async fn rate<T, F>(in_flight: usize, calls: Vec<T>, call: impl Fn(T) -> F + Clone + Send + 'static) -> Result<f64>
where
    T: Send + 'static,
    F: Future<Output = Result<()>> + Send,
{
    let total = calls.len();
    let mut shares: Vec<Vec<T>> = (0..in_flight).map(|_| Vec::with_capacity(total / in_flight + 1)).collect();
    for (index, item) in calls.into_iter().enumerate() {
        shares[index % in_flight].push(item);
    }
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for share in shares {
        let call = call.clone();
        tasks.spawn(async move {
            for item in share {
                call(item).await?;
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    while let Some(finished) = tasks.join_next().await {
        finished??;
    }
    #[expect(clippy::cast_precision_loss, reason = "rounds are short")]
    Ok(total as f64 / began.elapsed().as_secs_f64())
}
