import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy on a loopback port that can hold back or cut what passes. */
export interface UnreliableProxy {
  readonly port: number;
  /** From now on, answers stay in the proxy. */
  holdAnswers(): void;
  /** Passes on what was held back, and everything after it. */
  passAnswers(): void;
  /** Cuts each connection once so many bytes of requests have passed, until told otherwise. */
  cutAfter(requestBytes: number | undefined): void;
  stop(): Promise<void>;
}

export async function startUnreliableProxy(targetPort: number): Promise<UnreliableProxy> {
  const sockets = new Set<Socket>();
  const targets = new Set<Socket>();
  let holding = false;
  let limit: number | undefined;

  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1');
    sockets.add(client).add(target);
    targets.add(target);
    let passed = 0;
    const close = () => {
      client.destroy();
      target.destroy();
      sockets.delete(client);
      sockets.delete(target);
      targets.delete(target);
    };
    for (const socket of [client, target]) socket.on('close', close).on('error', close);
    client.on('data', (bytes: Buffer) => {
      passed += bytes.length;
      if (limit !== undefined && passed > limit) close();
      else target.write(bytes);
    });
    target.on('data', (bytes: Buffer) => client.write(bytes));
    if (holding) target.pause();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    holdAnswers() {
      holding = true;
      for (const target of targets) target.pause();
    },
    passAnswers() {
      holding = false;
      for (const target of targets) target.resume();
    },
    cutAfter(requestBytes) {
      limit = requestBytes;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
