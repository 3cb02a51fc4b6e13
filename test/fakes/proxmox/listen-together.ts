import type { NodeServer } from './node-server.ts';

interface Member {
  readonly address: string;
  readonly wantedPort: number;
  readonly server: NodeServer;
}

const attempts = 20;

/**
 * Lets all nodes listen, on the same port as far as their addresses differ: in a real cluster only the address tells
 * nodes apart. Port 0 is a port that is free on every address, found by trying.
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
