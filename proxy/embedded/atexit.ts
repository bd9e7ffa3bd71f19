/** Tasks for the exit of the host process. All brokers share one listener. */

const tasks = new Set<() => void>();

function run(): void {
  for (const task of tasks) task();
}

/** Runs `task`, which must be synchronous, when the host process exits, unless the returned function is called first. */
export function atExit(task: () => void): () => void {
  if (tasks.size === 0) process.on("exit", run);
  tasks.add(task);
  return () => {
    if (tasks.delete(task) && tasks.size === 0) process.off("exit", run);
  };
}
