import type { TLSSocket } from 'node:tls';
import type { Cancel, Clock } from '@porthole/shared/time/clock';
import { answerBytes, emptyAnswer, textAnswer, type Answer } from './answers.ts';
import { readRequest, type HttpRequest } from './http-requests.ts';

const requestsPerConnection = 100;

/** The outcome of a request: a response, no response, or an upgraded connection. */
export type Outcome =
  Answer | 'silence' | { takeOver(socket: TLSSocket, head: Buffer): void; abandon(): void };

type SendOptions = Pick<HttpRequest, 'keepAlive' | 'acceptsGzip'>;

/** One client connection of pveproxy, which closes after five seconds without a request. */
export function serveConnection(options: {
  socket: TLSSocket;
  clock: Clock;
  keepAliveMs: number;
  handle: (request: HttpRequest) => Promise<Outcome>;
  onRefused: (method: string, path: string, status: number) => void;
}): void {
  const { socket, clock, keepAliveMs, handle } = options;
  let unread = Buffer.alloc(0);
  let served = 0;
  let state: 'reading' | 'handling' | 'mute' | 'gone' = 'reading';
  let cancelIdle: Cancel | undefined;

  const waitForRequest = () => {
    cancelIdle?.();
    cancelIdle = clock.after(keepAliveMs, () => socket.destroySoon());
  };

  const send = (answer: Answer, { keepAlive, acceptsGzip }: SendOptions) => {
    const stays = keepAlive && answer.status < 400 && ++served < requestsPerConnection;
    socket.write(answerBytes(answer, new Date(clock.now()), { keepAlive: stays, acceptsGzip }));
    if (stays) waitForRequest();
    else {
      state = 'gone';
      socket.destroySoon();
    }
  };

  const next = () => {
    if (state !== 'reading' || unread.length === 0) return;
    const result = readRequest(unread);
    if (result.kind === 'incomplete') return;
    if (result.kind === 'mute') {
      state = 'mute';
      return;
    }
    cancelIdle?.();
    if (result.kind === 'refused') {
      options.onRefused(result.method, result.path, 501);
      const refusal = result.empty ? emptyAnswer(501, result.text) : textAnswer(501, result.text);
      send(refusal, { keepAlive: false, acceptsGzip: false });
      return;
    }
    unread = Buffer.from(result.rest);
    state = 'handling';
    void answer(result.request);
  };

  const answer = async (request: HttpRequest) => {
    const outcome = await handle(request);
    if (outcome === 'silence') return;
    if (state === 'gone') {
      if ('takeOver' in outcome) outcome.abandon();
      return;
    }
    if ('takeOver' in outcome) {
      state = 'gone';
      socket.off('data', onData);
      socket.off('close', onClose);
      socket.off('end', onEnd);
      outcome.takeOver(socket, unread);
      return;
    }
    state = 'reading';
    send(outcome, request);
    next();
  };

  const onData = (bytes: Buffer) => {
    if (state === 'gone' || state === 'mute') return;
    unread = Buffer.concat([unread, bytes]);
    next();
  };
  const onClose = () => {
    state = 'gone';
    cancelIdle?.();
  };
  const onEnd = () => socket.destroySoon();
  socket.on('data', onData);
  socket.on('close', onClose);
  socket.on('end', onEnd);
  socket.on('error', () => socket.destroy());
  waitForRequest();
}
