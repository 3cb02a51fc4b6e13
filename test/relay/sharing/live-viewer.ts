import { connectConsole, type ConsoleClient } from '../console-client.ts';
import { encodings, type RfbClient } from '../../fakes/guests/rfb-client.ts';
import { testOrigin } from '../rig.ts';

/** A page without a browser: keeps its picture up to date, and reconnects when a relay says so or is lost. */
export interface LiveViewer {
  /** Close codes of its connections so far. */
  readonly closes: readonly number[];
  /** States of the screen that it was told. */
  readonly notices: readonly string[];
  /** Milliseconds from each connection to its first picture. */
  readonly firstPictures: readonly number[];
  /** The connection of now, once it has a picture. */
  readonly rfb: RfbClient | undefined;
  readonly client: ConsoleClient | undefined;
  /** Whether its connection has received a token with which the next one continues the session. */
  readonly canResume: boolean;
  /** Resolves with its next picture after a connection. */
  readonly pictured: Promise<void>;
  close(): Promise<void>;
}

export function openLiveViewer(options: {
  /** Addresses of the relays. A lost connection goes on at the next one. */
  readonly urls: readonly string[];
  readonly relay: number;
  readonly requestGrant: () => Promise<string>;
  readonly wanted?: number[];
}): LiveViewer {
  const { urls, requestGrant, wanted = [encodings.raw, encodings.desktopSize] } = options;
  const closes: number[] = [];
  const notices: string[] = [];
  const firstPictures: number[] = [];
  let relay = options.relay;
  let resume: string | undefined;
  let canResume = false;
  let client: ConsoleClient | undefined;
  let rfb: RfbClient | undefined;
  let pictured = Promise.withResolvers<void>();
  let closed = false;

  async function follow(current: ConsoleClient, startedAt: number): Promise<void> {
    const opened = await current.rfb(wanted);
    opened.requestUpdate(false);
    for (let first = true; ; first = false) {
      if ((await opened.nextUpdate()) === 0) continue;
      if (first) {
        firstPictures.push(performance.now() - startedAt);
        rfb = opened;
        pictured.resolve();
      }
      opened.requestUpdate();
    }
  }

  async function run(): Promise<void> {
    for (;;) {
      const startedAt = performance.now();
      const token = resume ?? (await requestGrant());
      if (closed) return;
      const current = connectConsole({ url: urls[relay % urls.length] ?? '', token, origin: testOrigin });
      client = current;
      canResume = false;
      let read = 0;
      current.socket.on('message', () => {
        for (const message of current.messages.slice(read)) {
          if (message.type === 'resume') {
            resume = message.token;
            canResume = true;
          }
          if (message.type === 'screen') notices.push(message.state);
        }
        read = current.messages.length;
      });
      void follow(current, startedAt).catch(() => {});
      const { code } = await current.closed;
      rfb = undefined;
      pictured = Promise.withResolvers<void>();
      if (closed) return;
      closes.push(code);
      if (code === 4401) resume = undefined;
      else if (code !== 1012) {
        if (code !== 1006) return;
        relay++;
      }
      // A relay that drains refuses, and the load balancer knows others.
      if (code === 1012 && current.messages.length === 0) relay++;
    }
  }

  const running = run();
  return {
    closes,
    notices,
    firstPictures,
    get rfb() {
      return rfb;
    },
    get client() {
      return client;
    },
    get canResume() {
      return canResume;
    },
    get pictured() {
      return pictured.promise;
    },
    async close() {
      closed = true;
      client?.close();
      await running;
    },
  };
}
