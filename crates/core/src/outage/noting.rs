//! Notes, for the surface that a call came through, of what its answer stands on.

use std::cell::RefCell;

tokio::task_local! {
    static NOTED: RefCell<Noted>;
}

/// What an answer stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Noted {
    /// The age of the oldest copy that it was read from, in milliseconds; absent where it came from the store.
    pub stale_ms: Option<u64>,
    /// The number of the last entry of the journal that it was kept as; absent where nothing was.
    pub kept: Option<u64>,
}

/// Runs a call and tells what was noted of it.
pub async fn noting<F: Future>(call: F) -> (F::Output, Noted) {
    let noted = async {
        let output = call.await;
        (output, NOTED.with(|noted| *noted.borrow()))
    };
    NOTED.scope(RefCell::default(), noted).await
}

/// Notes that a copy of this age was read. Nobody may be listening.
pub(super) fn stale(age_ms: u64) {
    NOTED
        .try_with(|noted| {
            let mut noted = noted.borrow_mut();
            noted.stale_ms = Some(noted.stale_ms.unwrap_or(0).max(age_ms));
        })
        .ok();
}

/// Notes that a write was kept under this number.
pub(super) fn kept(seq: u64) {
    NOTED.try_with(|noted| noted.borrow_mut().kept = Some(seq)).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_copy_and_the_last_entry_are_told_and_nobody_need_listen() {
        let call = async {
            stale(5);
            stale(3);
            kept(7);
            "done"
        };
        assert_eq!(noting(call).await, ("done", Noted { stale_ms: Some(5), kept: Some(7) }));
        stale(1);
        assert_eq!(noting(async {}).await.1, Noted::default());
    }
}
