/** The right to know hosts by name: the action `hosts`. Of a detail's other fields only `ranks` limits it. docs/security.md */
import type { Permissions } from "../auth/permissions.js";

/** The ranks whose hosts a token may know, or the reason why it may know none. */
export type VisibleHosts = (rank: number) => boolean;

/** Decides which hosts a token may know. @returns a string with the reason of a refusal */
export function visibleHosts({ scope, details }: Permissions): VisibleHosts | string {
  const denied = (field: string) => `token does not allow hosts: ${field}`;
  if (scope === undefined && details === undefined) return denied("it has no permissions");
  if (scope !== undefined && !scope.has("hosts")) return denied("scope");
  if (details === undefined) return () => true;
  const limits = details.filter(({ actions }) => actions.has("hosts")).map(({ ranks }) => ranks);
  if (limits.length === 0) return denied("actions");
  return (rank) => limits.some((ranks) => ranks === undefined || ranks.has(rank));
}
