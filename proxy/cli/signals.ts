/** Signals to this process. */

/** Runs `handlers` on signals. @returns a function that gives the signals back to Node */
export function onSignals(handlers: Partial<Record<NodeJS.Signals, () => void>>): () => void {
  const entries = Object.entries(handlers) as [NodeJS.Signals, () => void][];
  for (const [signal, handler] of entries) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of entries) process.off(signal, handler);
  };
}

/** Resolves at the first SIGINT, SIGTERM or SIGHUP. The next one has its default effect. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      restore();
      resolve();
    };
    const restore = onSignals({ SIGINT: done, SIGTERM: done, SIGHUP: done });
  });
}
