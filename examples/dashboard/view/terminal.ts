/** The terminal of one run: output counts as consumed when xterm.js has parsed it. */
import { FitAddon } from "@xterm/addon-fit";
import { type ITheme, Terminal } from "@xterm/xterm";
import { BehaviorSubject } from "rxjs";
import type { Display } from "../model/run.js";
import { MergedScreen, RankScreen, type Screen } from "../model/screen.js";
import { type Entry, Transcript } from "../model/transcript.js";
import { colour, rankColour, sgr } from "./colours.js";
import { styleWithoutInline } from "./inline-styles.js";

styleWithoutInline();

/** A rank, or all ranks. */
export type View = number | "all";

export class TerminalPane implements Display {
  readonly element = document.createElement("div");
  readonly view$: BehaviorSubject<View>;
  readonly #transcript = new Transcript();
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #sizeObserver = new ResizeObserver(() => this.#place());
  readonly #width: number;
  #screen: Screen;

  constructor(ranks: readonly number[]) {
    this.#width = String(Math.max(...ranks)).length;
    // The view of a single rank shows its bytes unchanged.
    this.view$ = new BehaviorSubject<View>(ranks.length === 1 ? (ranks[0] as number) : "all");
    this.#screen = this.#makeScreen();
    this.element.className = "terminal-host";
    this.#terminal = new Terminal({
      convertEol: true,
      disableStdin: true,
      // Without it, xterm.js logs each unknown sequence that a program writes.
      logLevel: "off",
      cursorInactiveStyle: "none",
      scrollback: 5000,
      fontFamily: '"JetBrains Mono Variable", ui-monospace, monospace',
      fontSize: 13,
      lineHeight: 1.25,
      theme: theme(),
    });
    this.#terminal.loadAddon(this.#fit);
    // The terminal handles the scroll keys only. The page handles all others.
    this.#terminal.attachCustomKeyEventHandler((event) => {
      if (event.type === "keydown") this.#scroll(event);
      return false;
    });
    this.#sizeObserver.observe(this.element);
  }

  show(entry: Entry): Promise<void> {
    this.#transcript.add(entry);
    return this.#write(this.#screen.show(entry));
  }

  look(view: View): void {
    if (view === this.view$.value) return;
    this.view$.next(view);
    this.#again();
  }

  /** Draws everything again in the present theme. */
  recolour(): void {
    this.#terminal.options.theme = theme();
    this.#again();
  }

  focus(): void {
    this.#terminal.focus();
  }

  dispose(): void {
    this.#sizeObserver.disconnect();
    this.#terminal.dispose();
    this.element.remove();
  }

  /** Draws the transcript from its beginning. */
  #again(): void {
    this.#terminal.reset();
    this.#screen = this.#makeScreen();
    const { dropped, entries } = this.#transcript;
    if (dropped > 0) {
      const text = `${dropped.toLocaleString("en")} bytes before this were dropped`;
      void this.#write(this.#screen.show({ type: "note", text }));
    }
    for (const entry of entries) void this.#write(this.#screen.show(entry));
  }

  #makeScreen(): Screen {
    const view = this.view$.value;
    return view === "all"
      ? new MergedScreen((rank) => sgr(rankColour(rank)), this.#width)
      : new RankScreen(view);
  }

  #write(data: string | Uint8Array): Promise<void> {
    return data.length === 0 ? Promise.resolve() : new Promise((done) => this.#terminal.write(data, done));
  }

  /** xterm.js can measure its characters only while the element is visible. */
  #place(): void {
    if (this.element.clientWidth === 0) return;
    if (this.#terminal.element === undefined) this.#terminal.open(this.element);
    this.#fit.fit();
  }

  #scroll(event: KeyboardEvent): void {
    if (event.key === "PageUp") this.#terminal.scrollPages(-1);
    else if (event.key === "PageDown") this.#terminal.scrollPages(1);
    else if (event.key === "Home") this.#terminal.scrollToTop();
    else if (event.key === "End") this.#terminal.scrollToBottom();
    else return;
    event.preventDefault();
  }
}

function theme(): ITheme {
  const ansi = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;
  const bright = (name: string) => `bright${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return {
    background: colour("--terminal"),
    foreground: colour("--text"),
    cursor: colour("--muted"),
    selectionBackground: colour("--selection"),
    scrollbarSliderBackground: colour("--scrollbar"),
    scrollbarSliderHoverBackground: colour("--scrollbar"),
    scrollbarSliderActiveBackground: colour("--scrollbar"),
    ...Object.fromEntries(ansi.map((name) => [name, colour(`--ansi-${name}`)])),
    ...Object.fromEntries(ansi.map((name) => [bright(name), colour(`--ansi-bright-${name}`)])),
  };
}
