import init from "/assets/app.js";

init({ module_or_path: "/assets/app.wasm" });
