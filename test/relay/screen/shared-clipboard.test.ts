import { deflateSync } from 'node:zlib';
import { encodings } from '@porthole/relay/rfb/encodings';
import { eventually } from '../../eventually.ts';
import { u32 } from '../rfb/bytes.ts';
import { createMemoryMachine } from './memory-machine.ts';
import { createSameThreadScreen } from './same-thread.ts';
import { attachViewer, setEncodings } from './shared-screen-rig.ts';

const actions = { caps: 1 << 24, request: 1 << 25, peek: 1 << 26, notify: 1 << 27, provide: 1 << 28 };
const text = 1;
/** As QEMU announces it (ui/vnc-clipboard.c): text only, and nothing unasked. */
const machineCaps = [
  actions.caps | actions.notify | actions.provide | actions.request | text,
  u32(0),
] as const;
const serverInitBytes = 24 + 'lab-100'.length;

const cutText = (type: number, flags: number, body: Buffer = Buffer.alloc(0)) =>
  Buffer.concat([Buffer.of(type, 0, 0, 0), u32((-4 - body.length) >>> 0), u32(flags >>> 0), body]);
const fromMachine = (flags: number, body?: Buffer) => cutText(3, flags, body);
const fromViewer = (flags: number, body?: Buffer) => cutText(6, flags, body);
const plain = (type: number, bytes: string) =>
  Buffer.concat([Buffer.of(type, 0, 0, 0), u32(bytes.length), Buffer.from(bytes, 'latin1')]);
const provided = (content: string) => {
  const bytes = Buffer.from(`${content}\0`);
  return deflateSync(Buffer.concat([u32(bytes.length), bytes]));
};

async function connectedScreen(caps: boolean) {
  const rig = createSameThreadScreen();
  const { screen } = rig;
  const machine = createMemoryMachine();
  const connected = screen.connect(machine.upstream);
  machine.show({ width: 4, height: 2 });
  await connected;
  if (caps) machine.link.receive(fromMachine(...machineCaps));
  machine.takeSent();
  /** A viewer, with what it has received since the last call of `take`, behind ServerInit. */
  const attach = (offers: 'extended' | 'plain', options?: { control: boolean }) => {
    const viewer = attachViewer(screen, options);
    viewer.start(setEncodings(0, ...(offers === 'extended' ? [encodings.extendedClipboard] : [])));
    let at = serverInitBytes;
    const take = () => {
      const fresh = viewer.received().subarray(at);
      at = viewer.received().length;
      return fresh;
    };
    return { ...viewer, take };
  };
  return { ...rig, machine, attach };
}

describe('the plain clipboard of a shared screen', () => {
  test('goes from the machine to all viewers, and from viewers with control to the machine', async () => {
    const { machine, attach } = await connectedScreen(false);
    const [controller, watcher] = [attach('plain'), attach('extended', { control: false })];
    machine.link.receive(plain(3, 'caf\xe9'));
    expect(controller.take()).toStrictEqual(plain(3, 'caf\xe9'));
    expect(watcher.take()).toStrictEqual(plain(3, 'caf\xe9'));
    watcher.send(plain(6, 'no'));
    controller.send(plain(6, 'yes'));
    expect(machine.takeSent()).toStrictEqual(plain(6, 'yes'));
  });

  test('has the text of a machine with the extended clipboard, for viewers without it', async () => {
    const { machine, attach } = await connectedScreen(true);
    const viewer = attach('plain');
    machine.link.receive(fromMachine(actions.notify | text));
    expect(machine.takeSent()).toStrictEqual(fromViewer(actions.request | text));
    machine.link.receive(fromMachine(actions.provide | text, provided('one\r\ntw\u{f6} \u{1f600}')));
    await eventually('the text has arrived', () => viewer.received().length > serverInitBytes);
    expect(viewer.take()).toStrictEqual(plain(3, 'one\ntw\xf6 ?'));
  });

  test.each([
    ['claims more than it has', deflateSync(Buffer.concat([u32(1000), Buffer.from('x')]))],
    ['is larger than a mebibyte', deflateSync(Buffer.alloc(3 * 1024 * 1024))],
    ['is not compressed', Buffer.from('nonsense')],
    ['is empty', Buffer.alloc(0)],
  ])('ignores a text that %s', async (_, body) => {
    const { machine, attach } = await connectedScreen(true);
    const viewer = attach('plain');
    machine.link.receive(fromMachine(actions.notify | text));
    machine.link.receive(fromMachine(actions.provide | text, body));
    machine.link.receive(fromMachine(actions.notify | text));
    machine.link.receive(fromMachine(actions.provide | text, provided('good')));
    await eventually('the next text has arrived', () => viewer.received().length > serverInitBytes);
    expect(viewer.take()).toStrictEqual(plain(3, 'good'));
  });
});

describe('the extended clipboard of a shared screen', () => {
  test('is announced by the machine to each viewer that offers it, and answered by the relay', async () => {
    const { machine, attach } = await connectedScreen(false);
    const [early, without] = [attach('extended'), attach('plain')];
    machine.link.receive(fromMachine(...machineCaps));
    const late = attach('extended');
    expect([early.take(), late.take(), without.take()]).toStrictEqual([
      fromMachine(...machineCaps),
      fromMachine(...machineCaps),
      Buffer.alloc(0),
    ]);
    const all = Object.values(actions).reduce((flags, action) => flags | action, text);
    expect(machine.takeSent()).toStrictEqual(fromViewer(all, u32(0)));
    early.send(fromViewer(all, u32(0)));
    expect(machine.takeSent()).toStrictEqual(Buffer.alloc(0));
  });

  test('asks the machine once, and gives the text to those viewers only that have asked', async () => {
    const { machine, attach } = await connectedScreen(true);
    const viewers = [attach('extended'), attach('extended', { control: false }), attach('extended')];
    const [first, second, third] = viewers as [(typeof viewers)[0], (typeof viewers)[0], (typeof viewers)[0]];
    for (const viewer of viewers) viewer.take();
    machine.link.receive(fromMachine(actions.notify | text));
    for (const viewer of viewers) expect(viewer.take()).toStrictEqual(fromMachine(actions.notify | text));
    const request = fromViewer(actions.request | text);
    first.send(request);
    second.send(request);
    expect(machine.takeSent()).toStrictEqual(request);
    const provide = fromMachine(actions.provide | text, provided('secret'));
    machine.link.receive(provide);
    expect(viewers.map((viewer) => viewer.take())).toStrictEqual([provide, provide, Buffer.alloc(0)]);
    machine.link.receive(provide);
    expect(first.take().length).toBe(0);
    third.send(request);
    third.send(request);
    // A second request of the same viewer: the machine may never have answered the first.
    expect(machine.takeSent()).toStrictEqual(Buffer.concat([request, request]));
  });

  test('tells a late viewer of the text that the machine announced before, and on a peek', async () => {
    const { machine, attach } = await connectedScreen(true);
    const notify = fromMachine(actions.notify | text);
    machine.link.receive(notify);
    const viewer = attach('extended');
    expect(viewer.take()).toStrictEqual(Buffer.concat([fromMachine(...machineCaps), notify]));
    viewer.send(fromViewer(actions.peek));
    expect(viewer.take()).toStrictEqual(notify);
  });

  test('does not tell a late viewer of a text of the machine that a text of a viewer has replaced', async () => {
    const { machine, attach } = await connectedScreen(true);
    machine.link.receive(fromMachine(actions.notify | text));
    attach('extended').send(fromViewer(actions.notify | text));
    expect(attach('extended').take()).toStrictEqual(fromMachine(...machineCaps));
  });

  test('takes the text of the viewer that announced one last, and only if the machine asks for it', async () => {
    const { machine, attach } = await connectedScreen(true);
    const [first, second] = [attach('extended'), attach('extended')];
    first.take();
    second.take();
    const notify = fromViewer(actions.notify | text);
    const provide = fromViewer(actions.provide | text, provided('typed'));
    first.send(notify, provide);
    second.send(notify);
    expect(machine.takeSent()).toStrictEqual(Buffer.concat([notify, notify]));
    const request = fromMachine(actions.request | text);
    machine.link.receive(request);
    expect([first.take(), second.take()]).toStrictEqual([Buffer.alloc(0), request]);
    first.send(provide);
    expect(machine.takeSent()).toStrictEqual(Buffer.alloc(0));
    second.send(provide, provide);
    expect(machine.takeSent()).toStrictEqual(provide);
  });

  test('is not set by a viewer without control, also if control was taken away after its announcement', async () => {
    const { machine, attach } = await connectedScreen(true);
    const [watcher, viewer] = [attach('extended', { control: false }), attach('extended')];
    const notify = fromViewer(actions.notify | text);
    watcher.send(notify);
    expect(machine.takeSent()).toStrictEqual(Buffer.alloc(0));
    viewer.send(notify);
    viewer.take();
    viewer.setControl(false);
    const nothing = fromViewer(actions.notify);
    expect(machine.takeSent()).toStrictEqual(Buffer.concat([notify, nothing]));
    machine.link.receive(fromMachine(actions.request | text));
    expect(viewer.take()).toStrictEqual(Buffer.alloc(0));
    viewer.send(fromViewer(actions.provide | text, provided('late')));
    expect(machine.takeSent()).toStrictEqual(nothing);
  });

  test('of a viewer that left has nothing any more', async () => {
    const { machine, attach } = await connectedScreen(true);
    const viewer = attach('extended');
    viewer.send(fromViewer(actions.notify | text));
    machine.takeSent();
    viewer.link.destroy();
    expect(machine.takeSent()).toStrictEqual(fromViewer(actions.notify));
  });

  test('keeps the text that the machine announced after that of a viewer that leaves', async () => {
    const { machine, attach } = await connectedScreen(true);
    const viewer = attach('extended');
    viewer.send(fromViewer(actions.notify | text));
    machine.link.receive(fromMachine(actions.notify | text));
    machine.takeSent();
    viewer.link.destroy();
    expect(machine.takeSent()).toStrictEqual(Buffer.alloc(0));
  });

  test('begins anew with the next console', async () => {
    const { screen, machine, attach } = await connectedScreen(true);
    const viewer = attach('extended');
    viewer.send(fromViewer(actions.request | text));
    viewer.take();
    machine.link.end();
    const next = createMemoryMachine();
    const connected = screen.connect(next.upstream);
    next.show({ width: 4, height: 2 });
    await connected;
    next.takeSent();
    viewer.send(fromViewer(actions.request | text));
    expect(next.takeSent()).toStrictEqual(Buffer.alloc(0));
    next.link.receive(fromMachine(...machineCaps));
    expect(viewer.take()).toStrictEqual(fromMachine(...machineCaps));
  });

  test('ignores messages that say nothing', async () => {
    const { machine, attach } = await connectedScreen(true);
    const viewer = attach('extended');
    viewer.take();
    viewer.send(fromViewer(0), fromViewer(text));
    machine.link.receive(fromMachine(0));
    expect([viewer.take(), machine.takeSent()]).toStrictEqual([Buffer.alloc(0), Buffer.alloc(0)]);
  });
});
