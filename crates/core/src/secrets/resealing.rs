//! Sealing anew what is sealed with keys that go.

use crate::error::Result;

/// Seals anew what is listed, until nothing is any more; returns how much of it was. What is listed is sealed with another key, so
/// that what has been sealed anew, or is gone, is not listed again.
///
/// # Errors
/// Those of the list and of sealing.
pub(crate) async fn reseal_all<T>(
    list: impl AsyncFn() -> Result<Vec<T>>,
    reseal_one: impl AsyncFn(T) -> Result<bool>,
) -> Result<u32> {
    let mut resealed = 0;
    loop {
        let listed = list().await?;
        if listed.is_empty() {
            return Ok(resealed);
        }
        for one in listed {
            resealed += u32::from(reseal_one(one).await?);
        }
    }
}
