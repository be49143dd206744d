//! What one person writes down in one browser stands in the other, without a reload.

use tidebook_e2e::{Alone, Size, journey};

const EMAIL: &str = "mira@example.org";
const PASSWORD: &str = "quiet harbour at low water";

#[test]
fn one_contact_travels() {
    journey("one_contact_travels", Alone::No, async |stage| {
        let here = stage.app("here", Size::Desktop).await?;
        here.sign_up("Mira", EMAIL, PASSWORD).await?;
        here.make_book("Harbour Street 12", "EUR").await?;
        here.add_person("Ana Kovač").await?;
        here.wait_for_person("Ana Kovač").await?;

        let there = stage.app("there", Size::Phone).await?;
        there.sign_in(EMAIL, PASSWORD).await?;
        there.wait_for_book().await?;
        there.wait_for_person("Ana Kovač").await?;

        here.add_person("Jun Mori").await?;
        let jun = there.wait_for_person("Jun Mori").await?;
        assert_eq!(jun, here.wait_for_person("Jun Mori").await?);

        there.open_person("Jun Mori").await?;
        here.add_gave("Jun Mori", "12+8,50", "Taxi from the airport").await?;
        there.wait_for_line("Taxi from the airport").await?;
        there.browser.wait_to_read(".detail .hero", "20.50").await?;
        assert_eq!(here.totals().await?, [("EUR".to_owned(), 2050)].into());

        // A reload finds the same: what was shown was in the book.
        there.browser.reload().await?;
        there.wait_for_line("Taxi from the airport").await?;
        here.wait_for_book().await
    });
}
