/**
 * Where a console's bytes come from: a console at Proxmox of its own, the shared screen of this relay, or the relay that
 * owns the machine's console.
 */
export const consoleWays = ['pass_through', 'shared', 'forwarded'] as const;
export type ConsoleWay = (typeof consoleWays)[number];
