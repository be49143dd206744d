//! The screens the app is looked at on.

use anyhow::Result;
use serde_json::json;

use crate::Browser;

const LOSE_PUSHES: &str = r#"
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (text) { if (!text.includes('"type":"push"')) send.call(this, text) };"#;

const KEEP_NOTHING: &str = "Object.defineProperty(window, 'indexedDB', { value: null })";

/// What is kept of a book is answered to only after many other questions, one after the other.
const STATES_ARE_READ_LAST: &str = "
    const get = IDBObjectStore.prototype.get;
    IDBObjectStore.prototype.get = function (key) {
        const request = get.call(this, key);
        const answer = (handler, event, left) => {
            if (left === 0) return handler(event);
            this.count().onsuccess = () => answer(handler, event, left - 1);
        };
        const set = handler => request.addEventListener('success', event => answer(handler, event, 1_000));
        if (this.name === 'states') Object.defineProperty(request, 'onsuccess', { set });
        return request;
    }";

/// A window's inner size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    Phone,
    Desktop,
}

/// What the person's system asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

impl Size {
    pub const ALL: [Self; 2] = [Self::Phone, Self::Desktop];

    /// For names of files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Desktop => "desktop",
        }
    }

    fn pixels(self) -> (u32, u32) {
        match self {
            Self::Phone => (390, 844),
            Self::Desktop => (1280, 800),
        }
    }
}

impl Theme {
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    /// As CSS has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Browser {
    /// A window of Chromium's own cannot be as narrow as a phone.
    pub async fn resize(&self, size: Size) -> Result<()> {
        self.resize_at(size, 1).await
    }

    /// The same with so many dots to a pixel.
    pub async fn resize_at(&self, size: Size, dots: u32) -> Result<()> {
        let (width, height) = size.pixels();
        let mobile = size == Size::Phone;
        let screen = json!({"width": width, "height": height, "deviceScaleFactor": dots, "mobile": mobile});
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await.map(drop)
    }

    /// Light or dark, without motion: a page that is looked at stands still.
    pub async fn show_still(&self, theme: Theme) -> Result<()> {
        let features = json!({"features": [
            {"name": "prefers-color-scheme", "value": theme.word()},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        self.devtools("Emulation.setEmulatedMedia", features).await.map(drop)
    }

    /// From now on, what the page pushes gets lost on the way, while all else goes on.
    pub async fn lose_what_is_written(&self) -> Result<()> {
        self.run(LOSE_PUSHES, serde_json::Value::Null).await.map(drop)
    }

    /// The browser grants the app no room. What it has measured lately it does not measure again: for an app that has
    /// kept nothing yet.
    pub async fn fill_the_disk(&self, origin: &str) -> Result<()> {
        let quota = json!({"origin": origin, "quotaSize": 1});
        self.devtools("Storage.overrideQuotaForOrigin", quota).await.map(drop)
    }

    /// Pages that open from now on have no store on the device, as in some private windows.
    pub async fn keep_nothing(&self) -> Result<()> {
        self.before_each_page(KEEP_NOTHING).await
    }

    /// Pages that open from now on wait for what the device keeps of a book, as with a slow disk, but not for what waits
    /// to be sent.
    pub async fn read_books_slowly(&self) -> Result<()> {
        self.before_each_page(STATES_ARE_READ_LAST).await
    }

    /// Runs something in each page that opens from now on, before anything of its own.
    pub(crate) async fn before_each_page(&self, script: &str) -> Result<()> {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": script})).await.map(drop)
    }

    /// What is saved as a file from now on goes into this folder.
    pub async fn save_files_in(&self, folder: &std::path::Path) -> Result<()> {
        let behavior = json!({"behavior": "allow", "downloadPath": folder});
        self.devtools("Browser.setDownloadBehavior", behavior).await.map(drop)
    }

    /// For pictures: most people's scrollbars lie over the page and go by themselves.
    pub async fn hide_scrollbars(&self) -> Result<()> {
        self.devtools("Emulation.setScrollbarsHidden", json!({"hidden": true})).await.map(drop)
    }
}
