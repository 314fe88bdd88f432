// Reloads the page after `cargo xtask serve` has built it again.
const ask = async () => {
  const response = await fetch("./__podlab/build", { cache: "no-store" });
  return response.text();
};
let first;
setInterval(async () => {
  try {
    const build = await ask();
    first ??= build;
    if (build !== first) location.reload();
  } catch {
    // The server was stopped; it may come back.
  }
}, 700);
