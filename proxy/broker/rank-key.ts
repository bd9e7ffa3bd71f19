/** The key of a service on a rank, for maps. */

/** NUL separates safely: no topic has one, and so no service. */
export function rankKey(service: string, rank: number): string {
  return `${service}\0${rank}`;
}
