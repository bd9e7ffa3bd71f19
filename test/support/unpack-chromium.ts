/** Unpacks Chromium before the test files run side by side: each would do it, and start what another still writes. */
import { unpack } from "./browser.js";

export default async function setup(): Promise<void> {
  await unpack();
}
