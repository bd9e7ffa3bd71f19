/** A modal dialog. Escape or a click beside it closes it. While it is open, the page's keys do not work. */
import { render } from "lit-html";

export class Modal {
  readonly #dialog = document.createElement("dialog");
  #key: (event: KeyboardEvent) => void = () => {};

  /** @param title the id of the title's element */
  constructor(className: string, title: string) {
    const dialog = this.#dialog;
    dialog.className = className;
    dialog.setAttribute("aria-labelledby", title);
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("keydown", (event) => {
      // An element of a dialog that has just closed may still have the focus.
      if (!dialog.open) return;
      event.stopPropagation();
      this.#key(event);
    });
  }

  open(content: unknown, key: (event: KeyboardEvent) => void): void {
    if (!this.#dialog.isConnected) document.body.append(this.#dialog);
    this.#key = key;
    render(content, this.#dialog);
    this.#dialog.showModal();
  }

  close(): void {
    this.#dialog.close();
  }
}
