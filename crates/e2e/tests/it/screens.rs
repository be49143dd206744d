//! Pictures of every screen, to be looked at.

use anyhow::ensure;
use tidebook_e2e::{Alone, Size, journey, screens};

#[test]
fn screens() {
    journey("screens", Alone::No, async |stage| {
        let folder = screens::folder()?;
        let app = stage.app("here", Size::Desktop).await?;
        screens::walk(&app, &stage.server, async |app, look| {
            let file = folder.join(look.file_name());
            app.browser.screenshot(&file).await?;
            let bytes = std::fs::metadata(&file)?.len();
            ensure!(bytes > 1_000, "{} has {bytes} bytes only", file.display());
            Ok(())
        })
        .await
    });
}
