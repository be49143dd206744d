//! Journeys through the app, each in a Chromium of its own or two.

mod before_any_account;
mod edit_and_undo;
mod errors_in_words;
mod harness;
mod history;
mod imports_fill_live;
mod kept_on_the_device;
mod keyboard;
mod latency;
mod long_lists;
mod members;
mod one_contact_travels;
mod only_what_changed_redraws;
mod presence;
mod screens;
mod service_worker;
mod signing_out;
mod ten_tabs;
mod the_server_comes_back;
mod three_clients;
mod transactions;
mod two_people_write;
