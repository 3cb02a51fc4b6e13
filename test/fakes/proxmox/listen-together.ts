import type { NodeServer } from './node-server.ts';

interface Member {
  readonly address: string;
  readonly wantedPort: number;
  readonly server: NodeServer;
}

const attempts = 20;

/**
 * Starts all nodes on the same port if their addresses differ, because nodes of a real cluster differ only in their
 * addresses. Port 0 is a port that is free on all addresses.
 */
export async function listenTogether(members: readonly Member[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      let shared = 0;
      const taken = new Set<string>();
      for (const { address, wantedPort, server } of members) {
        const port = taken.has(address) ? wantedPort : wantedPort || shared;
        await server.listen(address, port);
        taken.add(address);
        shared ||= server.port;
      }
      return;
    } catch (error) {
      await Promise.all(members.map(({ server }) => server.stop()));
      const busy = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!busy || attempt === attempts || members.every(({ wantedPort }) => wantedPort !== 0)) throw error;
    }
  }
}
