import { defaultDeadlines } from '@porthole/relay/upstream/deadlines';
import type { MakeShell } from '../../fakes/proxmox/terminal-shell.ts';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';
import { eventually } from '../../eventually.ts';
import { container, output, typeText, useTerminalRigs, waitForOutput } from './terminal-rig.ts';
import type { ConsoleClient } from '../console-client.ts';
import type { RelayRig, RigOptions } from '../rig.ts';

const start = useTerminalRigs();

/** A program that records its input, and echoes it unless it is silent, as while bash reads a bracketed paste. */
function createRecorder({ silent = false } = {}) {
  const typed: string[] = [];
  const shell: MakeShell = ({ write }) => {
    write('ready');
    return {
      input(text) {
        typed.push(text);
        if (!silent) write(text);
      },
      resize() {},
      end() {},
    };
  };
  return { shell, typed: () => typed.join('') };
}

const startWith = (shell: MakeShell, options: RigOptions = {}) =>
  start({
    ...options,
    proxmox: { guests: [{ vmid: 200, node: 'pve1', type: 'lxc', name: 'box', shell }] },
  });

async function open(rig: RelayRig) {
  const client = await rig.open(container);
  await waitForOutput(client, 'ready');
  // The test reads from the socket, so nothing reads the client’s stream, which pauses the socket.
  client.socket.on('message', () => client.socket.resume());
  return client;
}

/** A terminal for which 1 MiB of input waits, on a clock that stands still. */
async function openWithWaitingPaste() {
  const clock = createFakeClock(Date.now());
  const recorder = createRecorder({ silent: true });
  const never = 3_600_000;
  const rig = await startWith(recorder.shell, {
    clock,
    deadlines: { inputSilence: never, inputBusy: never },
  });
  const client = await open(rig);
  typeText(client, textOf(1024 * 1024));
  await eventually('a part has arrived', () => recorder.typed().length > 4000);
  return { rig, client, clock };
}

/** Text of which each part is different. */
const textOf = (bytes: number) => {
  const lines = Array.from({ length: bytes / 16 }, (_, index) => `${String(index).padStart(15, '.')}\r`);
  return lines.join('');
};

/** Closes the console before the relay stops, because a drain would wait for a clock that stands still. */
async function close(rig: RelayRig, client: ConsoleClient): Promise<void> {
  client.close();
  await eventually('the console is closed', () => rig.proxmox.openConsoles() === 0);
}

/** Bytes that wait in the relay. */
async function waitingBytes(rig: RelayRig): Promise<number> {
  const [, bytes] =
    /porthole_relay_buffered_bytes\{direction="to_machine"\} (\d+)\n/.exec(await rig.metrics()) ?? [];
  return Number(bytes);
}

/** Lets time pass whenever the terminal has taken what the relay has sent, until it has taken all. */
async function passTime(
  { rig, clock, recorder }: { rig: RelayRig; clock: FakeClock; recorder: ReturnType<typeof createRecorder> },
  bytes: number,
): Promise<void> {
  while (recorder.typed().length < bytes) {
    await eventually(
      'the terminal has taken what was sent',
      async () => recorder.typed().length + (await waitingBytes(rig)) === bytes,
    );
    clock.advance(defaultDeadlines.inputSilence);
  }
}

describe('a paste into a container’s terminal, whose dtach stops if it gets too much at once', () => {
  test.each([
    ['16 KiB', 16 * 1024],
    ['64 KiB', 64 * 1024],
    ['256 KiB', 256 * 1024],
  ])('of %s arrives complete', async (_, bytes) => {
    const recorder = createRecorder();
    const clock = createFakeClock(Date.now());
    const rig = await startWith(recorder.shell, { clock });
    const client = await open(rig);
    const text = textOf(bytes);
    typeText(client, text);
    await passTime({ rig, clock, recorder }, bytes);
    expect(recorder.typed() === text).toBe(true);
    typeText(client, 'more');
    await waitForOutput(client, 'more');
    await close(rig, client);
  });

  test('arrives complete if the program writes nothing', async () => {
    const recorder = createRecorder({ silent: true });
    const clock = createFakeClock(Date.now());
    const rig = await startWith(recorder.shell, { clock });
    const client = await open(rig);
    const text = textOf(128 * 1024);
    typeText(client, text);
    await passTime({ rig, clock, recorder }, text.length);
    expect(recorder.typed() === text).toBe(true);
    await close(rig, client);
  });

  test('that was sent as many messages, or before the terminal was open, arrives complete', async () => {
    const recorder = createRecorder();
    const clock = createFakeClock(Date.now());
    const rig = await startWith(recorder.shell, { clock });
    const text = textOf(60 * 1024);
    const client = await rig.open(container);
    client.socket.on('message', () => client.socket.resume());
    client.socket.on('open', () => typeText(client, text));
    await waitForOutput(client, 'ready');
    for (let at = 0; at < text.length; at += 256) typeText(client, text.slice(at, at + 256));
    await passTime({ rig, clock, recorder }, 2 * text.length);
    expect(recorder.typed() === text + text).toBe(true);
    await close(rig, client);
  });

  test('waits in the relay, and Ctrl+C discards what waits', async () => {
    const recorder = createRecorder({ silent: true });
    const rig = await startWith(recorder.shell, { deadlines: { inputSilence: 600_000, inputBusy: 600_000 } });
    const client = await open(rig);
    typeText(client, textOf(256 * 1024));
    await eventually('a part has arrived', () => recorder.typed().length > 4000);
    expect(await rig.metrics()).toMatch(/porthole_relay_buffered_bytes\{direction="to_machine"\} 25\d{4}\n/);
    typeText(client, '\x03');
    await eventually('Ctrl+C has arrived', () => recorder.typed().endsWith('\x03'));
    expect(recorder.typed().length).toBeLessThan(4096);
    expect(await rig.metrics()).toContain('porthole_relay_buffered_bytes{direction="to_machine"} 0\n');
    client.close();
  });

  test('does not close the console while it waits for minutes, if the viewer answers pings', async () => {
    const { rig, client, clock } = await openWithWaitingPaste();
    const pongs = () => client.messages.filter(({ type }) => type === 'pong').length;
    for (let pings = 1; pings <= 9; pings++) {
      clock.advance(20_000);
      client.socket.send('{"type":"ping"}');
      await eventually('the relay answers', () => pongs() === pings);
    }
    expect(rig.proxmox.openConsoles()).toBe(1);
    await close(rig, client);
  });

  test('does not keep the console open if the viewer answers nothing for a minute', async () => {
    const { rig, client, clock } = await openWithWaitingPaste();
    client.socket.removeAllListeners('message');
    client.socket.pause();
    for (let pings = 1; pings <= 3; pings++) clock.advance(20_000);
    await eventually('the console is closed', () => rig.proxmox.openConsoles() === 0);
  });

  test('closes the console with 1009 if more than 2 MiB wait', async () => {
    const { rig, client } = await openWithWaitingPaste();
    const longest = textOf(1024 * 1024);
    typeText(client, longest);
    typeText(client, longest);
    const { code, reason } = await client.closed;
    expect({ code, reason }).toEqual({
      code: 1009,
      reason: 'Too much text was pasted at once.',
    });
    await eventually('the console is closed', () => rig.proxmox.openConsoles() === 0);
  });
});

describe('a terminal that does not answer', () => {
  const types = (client: Awaited<ReturnType<typeof open>>) => client.messages.map(({ type }) => type);

  test('is reported to the viewer, the log and the metrics, once, if dtach has stopped', async () => {
    const rig = await start({ deadlines: { terminalAnswer: 100 } });
    const client = await rig.open(container);
    await waitForOutput(client, 'root@box:~# ');
    // Another viewer, past the relay, gives dtach too much.
    rig.proxmox.stopDtach(200);
    typeText(client, 'echo anybody\r');
    await eventually('the page knows', () => types(client).includes('unanswered'));
    typeText(client, '\r');
    expect(output(client)).not.toContain('anybody');
    expect(await rig.metrics()).toContain('porthole_relay_terminals_unanswered_total 1\n');
    expect(rig.logged.filter((line) => line.includes('terminal does not answer'))).toHaveLength(1);
    client.close();
  });

  test('is reported as answering when it writes again', async () => {
    let answer = () => {};
    const shell: MakeShell = ({ write }) => {
      write('ready');
      answer = () => write('done');
      return { input() {}, resize() {}, end() {} };
    };
    const rig = await startWith(shell, { deadlines: { terminalAnswer: 50 } });
    const client = await open(rig);
    typeText(client, '\r');
    await eventually('the page knows', () => types(client).includes('unanswered'));
    answer();
    await eventually('the page knows', () => types(client).includes('answers'));
    client.close();
  });
});
