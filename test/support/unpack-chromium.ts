/** Unpacks Chromium before the test files run in parallel. Otherwise one file could start a binary that another still writes. */
import { unpack } from "./browser.js";

export default async function setup(): Promise<void> {
  await unpack();
}
