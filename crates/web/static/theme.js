// Before the first paint: the chosen theme, and whether a book was open here last time (the shell shows its bones, not
// the welcome).
try {
  const theme = localStorage.getItem("tidebook-theme");
  if (theme) document.documentElement.dataset.theme = theme;
  if (localStorage.getItem("tidebook-book")) document.documentElement.dataset.known = "";
} catch {
  // A browser that keeps nothing for pages: the system's theme, and the welcome.
}
