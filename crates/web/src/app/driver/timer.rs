//! One alarm that can be set again and again.

use wasm_bindgen::prelude::*;

use crate::app::browser::window;

/// Rings once, when it was last set to; an alarm that is dropped does not ring.
#[derive(Default)]
pub(crate) struct Alarm {
    set: Option<(i32, Closure<dyn FnMut()>)>,
}

impl Alarm {
    pub(crate) fn set(&mut self, in_ms: u64, ring: impl FnOnce() + 'static) {
        self.clear();
        let ring = Closure::once(ring);
        let in_ms = i32::try_from(in_ms).unwrap_or(i32::MAX);
        let id = window().set_timeout_with_callback_and_timeout_and_arguments_0(ring.as_ref().unchecked_ref(), in_ms);
        self.set = id.ok().map(|id| (id, ring));
    }

    pub(crate) fn clear(&mut self) {
        if let Some((id, _)) = self.set.take() {
            window().clear_timeout_with_handle(id);
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Calls back once; nobody can stop it.
pub(crate) fn after_ms(in_ms: i32, then: impl FnOnce() + 'static) {
    let then = Closure::once_into_js(then);
    // Fails only with wrong arguments.
    let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(then.unchecked_ref(), in_ms);
}
