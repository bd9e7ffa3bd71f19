/** Linux's signal numbers: Flux runs on Linux, whatever the proxy runs on. */
export const SIGNUM = { kill: 9, cont: 18, stop: 19, tstp: 20, ttin: 21, ttou: 22 } as const;
