import { chromium, type Browser } from "playwright-core";

/** Debian's browser; the one that Playwright would fetch is not to be had everywhere. */
const EXECUTABLE = "/usr/bin/chromium";

/** Starts a browser that asks nobody but the page's own server. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
