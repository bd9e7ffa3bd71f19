/** Signals by Linux's numbers, which are Flux's on whatever machine. */
export const SIGNUM = { kill: 9, cont: 18, stop: 19, tstp: 20, ttin: 21, ttou: 22 } as const;
