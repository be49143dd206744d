//! Work that waits for something.

use std::future::Future;
use std::pin::Pin;

/// Starts it, and lets it be. In one compiled form: each kind of future would bring its own way of being polled.
pub(crate) fn spawn(work: impl Future<Output = ()> + 'static) {
    let work: Pin<Box<dyn Future<Output = ()>>> = Box::pin(work);
    wasm_bindgen_futures::spawn_local(work);
}
