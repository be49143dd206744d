//! One WebSocket, and what happens on it.

use tidebook_protocol::SYNC_SUBPROTOCOL;
use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use crate::app::browser::window;

/// What a socket tells its driver.
pub(crate) enum SocketEvent {
    Opened,
    Text(String),
    Closed(u16),
}

/// Closes when dropped, and is silent from then on.
pub(crate) struct Socket {
    socket: WebSocket,
    _opened: Closure<dyn FnMut()>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _closed: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Connects to the server this page came from. The cookie says who is there.
    pub(crate) fn connect(tell: impl Fn(SocketEvent) + Clone + 'static) -> Result<Self, JsValue> {
        let socket = WebSocket::new_with_str(&address()?, SYNC_SUBPROTOCOL)?;
        let opened = Closure::<dyn FnMut()>::new({
            let tell = tell.clone();
            move || tell(SocketEvent::Opened)
        });
        let message = Closure::<dyn FnMut(MessageEvent)>::new({
            let tell = tell.clone();
            // The protocol has text frames only.
            move |event: MessageEvent| {
                event.data().as_string().into_iter().for_each(|text| tell(SocketEvent::Text(text)))
            }
        });
        let closed = Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| {
            tell(SocketEvent::Closed(event.code()));
        });
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        Ok(Self { socket, _opened: opened, _message: message, _closed: closed })
    }

    pub(crate) fn send(&self, text: &str) {
        // Fails only before the socket is open; the engine sends nothing before.
        let _ = self.socket.send_with_str(text);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let _ = self.socket.close();
    }
}

fn address() -> Result<String, JsValue> {
    let location = window().location();
    let scheme = if location.protocol()? == "https:" { "wss" } else { "ws" };
    Ok(format!("{scheme}://{}/ws", location.host()?))
}
