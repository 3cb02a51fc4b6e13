import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** QEMU's machine protocol: one JSON object per line, with responses in the order of the commands. */
export interface Qmp {
  execute(command: string, args?: Record<string, unknown>): Promise<unknown>;
  close(): void;
}

interface QmpMessage {
  QMP?: unknown;
  return?: unknown;
  error?: { class: string; desc: string };
}

export async function openQmp(socket: Socket): Promise<Qmp> {
  const waiting: PromiseWithResolvers<unknown>[] = [];
  const greeted = Promise.withResolvers<void>();

  const execute = (command: string, args: Record<string, unknown> = {}) => {
    const answer = Promise.withResolvers<unknown>();
    waiting.push(answer);
    socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    return answer.promise;
  };

  socket.on('error', () => {});
  socket.once('close', () => {
    const error = new Error('QEMU closed its monitor');
    greeted.reject(error);
    for (const answer of waiting.splice(0)) answer.reject(error);
  });
  const lines = createInterface({ input: socket });
  lines.on('error', () => {});
  lines.on('line', (line) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- QEMU is trusted to speak its own protocol
    const message = JSON.parse(line) as QmpMessage;
    if (message.QMP !== undefined) greeted.resolve();
    else if (message.error) waiting.shift()?.reject(new Error(`QEMU: ${message.error.desc}`));
    else if (message.return !== undefined) waiting.shift()?.resolve(message.return);
  });

  await greeted.promise;
  await execute('qmp_capabilities');
  return { execute, close: () => void socket.destroy() };
}
