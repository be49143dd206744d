//! What the browser starts.

fn main() {
    tidebook_web::start();
}
