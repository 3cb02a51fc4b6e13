import sharp from 'sharp';
import { createClassStates } from '@porthole/shared/class/class-states';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createTerminationOrders, targetsOf } from '@porthole/shared/session/termination-orders';
import { systemClock } from '@porthole/shared/time/clock';
import { createBuiltinGuest, type BuiltinGuest } from '../../fakes/guests/builtin.ts';
import type { Framebuffer } from '../../fakes/guests/framebuffer.ts';
import { eventually } from '../../eventually.ts';
import { closeOf } from '../close-codes/expect-close.ts';
import type { ConsoleClient } from '../console-client.ts';
import { grantKey, useRelayRigs, type RelayRig, type RigOptions } from '../rig.ts';
import { startSharingRelays, viewerAt, vncproxyCalls } from '../sharing/sharing-rig.ts';
import {
  aSeat,
  ina,
  mintWall,
  openWall,
  someWall,
  type WallClient,
  type WallPicture,
} from './wall-client.ts';

const start = useRelayRigs();

const aGuest = (vmid: number, guest: BuiltinGuest, running = true) =>
  ({ vmid, node: vmid % 2 ? 'pve2' : 'pve1', type: 'qemu', name: `lab-${vmid}`, guest, running }) as const;

/** Machines from 100 on. */
async function aRoom(count: number, options: RigOptions = {}, off: readonly number[] = []) {
  const guests = Array.from({ length: count }, (_, i) => createBuiltinGuest({ name: `lab-${100 + i}` }));
  const [rig] = (await startSharingRelays(start, 1, {
    ...options,
    proxmox: {
      ...options.proxmox,
      guests: guests.map((guest, i) => aGuest(100 + i, guest, !off.includes(i))),
    },
  })) as [RelayRig];
  const seats = guests.map((_, i) => aSeat(i, 100 + i, i % 2 ? 'pve2' : 'pve1'));
  return { rig, guests, seats };
}

/** Paints everything in one shade of grey. */
const shade = (value: number) => (framebuffer: Framebuffer) => {
  const { width, height } = framebuffer;
  framebuffer.fill(0, 0, width, height, value * 0x01_01_01);
};
const sees = ({ pictures }: WallClient, seat: number) => pictures.some((each) => each.seat === seat);
/** 0 to 255. The machine draws its text over what the test has painted. */
async function brightness(picture: WallPicture | undefined): Promise<number> {
  const { channels } = await sharp(picture?.image).stats();
  return Math.min(...channels.map(({ mean }) => mean));
}
const observersOf = ({ messages }: Pick<ConsoleClient, 'messages'>) =>
  messages.flatMap((message) => (message.type === 'observers' ? [message.by.join(', ')] : []));
const metric = async (rig: RelayRig, name: string) =>
  Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await rig.metrics())?.[1]);

describe('a wall', () => {
  test('shows the seats that its page asks for as JPEG pictures, a quarter as wide and high, and opens no others', async () => {
    const { rig, seats } = await aRoom(3);
    const wall = await openWall(rig, { seats });
    expect(wall.socket.protocol).toBe('porthole.wall.v1');
    wall.show(0, 2);
    await eventually('both seats have a picture', () => sees(wall, 0) && sees(wall, 2));
    expect(wall.states()).toEqual({ 0: 'live', 2: 'live' });
    expect(new Set(wall.pictures.map(({ seat }) => seat))).toEqual(new Set([0, 2]));
    const [picture] = wall.pictures.filter(({ seat }) => seat === 0);
    expect(picture).toMatchObject({ width: 200, height: 150, format: 1 });
    const { width, height, format } = await sharp(picture?.image).metadata();
    expect([width, height, format]).toEqual([200, 150, 'jpeg']);
    expect([100, 101, 102].map((vmid) => vncproxyCalls(rig, vmid))).toEqual([1, 0, 1]);
    expect(await metric(rig, 'porthole_relay_walls')).toBe(1);
    expect(await metric(rig, 'porthole_relay_shared_screen_thumbnails')).toBe(2);
    expect(await metric(rig, 'porthole_relay_wall_pictures_total')).toBeGreaterThanOrEqual(2);
  });

  test('shows what the last of several messages says, and closes what is hidden for some seconds', async () => {
    const { rig, seats } = await aRoom(2);
    const wall = await openWall(rig, { seats });
    wall.show(0, 1);
    wall.show(1);
    wall.show(0);
    await eventually('the seat has a picture', () => sees(wall, 0));
    await eventually('only one seat is shown', async () =>
      expect(await metric(rig, 'porthole_relay_shared_screen_thumbnails')).toBe(1),
    );
    expect(vncproxyCalls(rig, 101)).toBe(0);
    wall.show();
    await eventually('no seat is shown', async () =>
      expect(await metric(rig, 'porthole_relay_shared_screen_thumbnails')).toBe(0),
    );
  });

  test('gets a new picture when a screen changes', async () => {
    const { rig, guests, seats } = await aRoom(2);
    const wall = await openWall(rig, { seats });
    wall.show(0, 1);
    await eventually('both seats have a picture', () => sees(wall, 0) && sees(wall, 1));
    await eventually('the changed seat has the new picture', async () => {
      guests[1]?.paint(shade(0xff));
      const last = wall.pictures.findLast(({ seat }) => seat === 1);
      expect(await brightness(last)).toBeGreaterThan(200);
    });
  });

  test('shows open consoles without another console at Proxmox, and leaves them to their users', async () => {
    const { rig, seats } = await aRoom(1);
    const student = viewerAt([rig], 0, { sessionId: 'student' });
    await student.pictured;
    const wall = await openWall(rig, { seats });
    wall.show(0);
    await eventually('the seat has a picture', () => sees(wall, 0));
    expect(vncproxyCalls(rig)).toBe(1);
    wall.socket.close();
    await wall.closed;
    await student.close();
  });

  test('tells users that it shows their machines, once for all that it has shown, and when it ends', async () => {
    const { rig, seats } = await aRoom(2);
    const other = await openWall(rig, { seats });
    other.show(0);
    await eventually('the screen is shared', () => sees(other, 0));
    other.socket.close();
    await other.closed;
    await eventually('the other wall has ended', () => rig.audited.length === 1);
    const student = await rig.open({ sessionId: 'student' });
    await student.rfb();
    const wall = await openWall(rig, { seats, sessionId: 'wall-2' });
    expect(observersOf(student)).toEqual([]);
    wall.show(0);
    await eventually('the student is told', () => observersOf(student).join() === 'Ina Instructor');
    wall.show(1);
    wall.socket.close();
    await wall.closed;
    await eventually('the student is told of the end', () => observersOf(student).at(-1) === '');
    expect(observersOf(student)).toEqual(['Ina Instructor', '']);
    await eventually('the end is audited', () =>
      rig.audited.some(
        (each) => each.event === 'wall_ended' && each.machines === 2 && each.end === 'by_viewer',
      ),
    );
  });

  test('marks machines that are off, asks Proxmox for no console, and shows them when they run', async () => {
    const { rig, guests, seats } = await aRoom(2, {}, [1]);
    const wall = await openWall(rig, { seats });
    wall.show(0, 1);
    await eventually('one is live, the other off', () => {
      expect(wall.states()).toEqual({ 0: 'live', 1: 'off' });
    });
    expect(vncproxyCalls(rig, 101)).toBe(0);
    await guests[1]?.start();
    await eventually('the other is live', () => wall.states()[1] === 'live');
  });

  test('marks a machine that does not exist as failed, and shows the others', async () => {
    const { rig, seats } = await aRoom(1);
    const wall = await openWall(rig, { seats: [...seats, aSeat(1, 999)] });
    wall.show(0, 1);
    await eventually('the other is live', () => {
      expect(wall.states()).toEqual({ 0: 'live', 1: 'failed' });
    });
  });

  test('closes the screens that only it needed, some seconds after it has ended', async () => {
    const { rig, guests, seats } = await aRoom(1);
    const wall = await openWall(rig, { seats });
    wall.show(0);
    await eventually('the seat has a picture', () => sees(wall, 0));
    wall.socket.close();
    await eventually('the console at Proxmox is closed', () => guests[0]?.connections() === 0);
    expect(await metric(rig, 'porthole_relay_shared_screens')).toBe(0);
  });

  test('gets thumbnails from the relay that owns the screens', async () => {
    const relays = (await startSharingRelays(start, 2)) as [RelayRig, RelayRig];
    const [one, two] = relays;
    const student = viewerAt(relays, 0, { sessionId: 'student' });
    await student.pictured;
    const wall = await openWall(two);
    wall.show(0);
    await eventually('the seat has a picture', () => sees(wall, 0));
    expect([vncproxyCalls(one), await metric(one, 'porthole_relay_shared_screen_thumbnails')]).toEqual([
      1, 1,
    ]);
    expect(await metric(two, 'porthole_relay_shared_screen_thumbnails')).toBe(0);
    await eventually('it has the new picture', async () => {
      // Until it has started, the machine paints over it.
      one.guest.paint(shade(0xff));
      expect(await brightness(wall.pictures.at(-1))).toBeGreaterThan(200);
    });
    await student.close();
  });

  test('becomes the owner of screens that other relays then forward to', async () => {
    const relays = (await startSharingRelays(start, 2)) as [RelayRig, RelayRig];
    const wall = await openWall(relays[0]);
    wall.show(0);
    await eventually('the seat has a picture', () => sees(wall, 0));
    const student = viewerAt(relays, 1, { sessionId: 'student' });
    await student.pictured;
    expect(vncproxyCalls(relays[0])).toBe(1);
    await student.close();
  });
});

describe('an open wall', () => {
  const renew = async (rig: RelayRig, wall: WallClient, over: Parameters<typeof mintWall>[1] = {}) =>
    wall.socket.send(
      JSON.stringify({ type: 'renew', token: await mintWall(rig, { renews: true, ...over }) }),
    );

  test('stops at once to show a machine that a renewal does not contain, and goes on with the others', async () => {
    const { rig, guests, seats } = await aRoom(2);
    const wall = await openWall(rig, { seats });
    wall.show(0, 1);
    await eventually('both seats have a picture', () => sees(wall, 0) && sees(wall, 1));
    await renew(rig, wall, { seats: seats.slice(1) });
    await eventually('one seat is taken away', () => {
      expect(wall.states()).toEqual({ 0: 'failed', 1: 'live' });
    });
    const before = wall.pictures.length;
    wall.show(0, 1);
    await eventually('the other one has a new picture', () => {
      guests.forEach((guest) => guest.paint(shade(0xff)));
      expect(wall.pictures.slice(before).map(({ seat }) => seat)).toContain(1);
    });
    expect(wall.pictures.slice(before).map(({ seat }) => seat)).not.toContain(0);
    expect(await metric(rig, 'porthole_relay_shared_screen_thumbnails')).toBe(1);
  });

  test('ends at a grant that does not renew it, and a grant that renews it opens no wall', async () => {
    const { rig } = await aRoom(1);
    const wall = await openWall(rig);
    await renew(rig, wall, { user: { id: 'local:olga', name: 'olga' } });
    expect(await wall.closed).toEqual(closeOf('grant_invalid'));
    const other = await openWall(rig, { renews: true });
    expect(await other.closed).toEqual(closeOf('grant_invalid'));
  });

  test('says that its class has changed, and not that another one has', async () => {
    const { rig } = await aRoom(1);
    const wall = await openWall(rig);
    const common = { keys: () => [grantKey], random: systemRandom };
    const signals = createConsoleSignals({ bus: rig.store.signals, ...common, clock: systemClock });
    const states = createClassStates({ ...rig.store, ...common, signals });
    await states.announce('other');
    wall.socket.send('{"type":"ping"}');
    await eventually('the page has an answer', () => wall.messages.length === 1);
    await states.announce('lab');
    await eventually('the page is told', () => wall.messages.at(-1)?.type === 'class');
    expect(wall.messages.map(({ type }) => type)).toEqual(['pong', 'class']);
  });
});

describe('a wall ends', () => {
  const orders = (rig: RelayRig) => {
    const common = { keys: () => [grantKey], random: systemRandom, clock: systemClock };
    const signals = createConsoleSignals({ bus: rig.store.signals, ...common });
    return createTerminationOrders({ records: rig.store.records, signals, ...common });
  };

  test('when its user signs out, and a grant from before opens none', async () => {
    const { rig } = await aRoom(1);
    const wall = await openWall(rig);
    const token = await mintWall(rig);
    await orders(rig).issue({ kind: 'login', ref: 'login-1' }, 'signed_out');
    expect(await wall.closed).toEqual(closeOf('signed_out'));
    expect(await (await openWall(rig, {}, { token })).closed).toEqual(closeOf('signed_out'));
  });

  test('with all consoles of its user, and not with those of a machine', async () => {
    const { rig } = await aRoom(1);
    const wall = await openWall(rig);
    await orders(rig).issue({ kind: 'machine', ref: 'lab/100' }, 'ended_by_operator');
    await orders(rig).issue({ kind: 'user', ref: ina.id }, 'ended_by_operator');
    expect(await wall.closed).toEqual(closeOf('ended_by_operator'));
    expect(targetsOf(someWall()).map(({ kind }) => kind)).toEqual(['session', 'login', 'user']);
  });

  test('at its time limit', async () => {
    const { rig } = await aRoom(1);
    expect(await (await openWall(rig, { sessionSeconds: 1 })).closed).toEqual(closeOf('time_limit'));
  });

  test('when its relay drains, and the page is told to reconnect', async () => {
    const { rig } = await aRoom(1, { limits: { drainSeconds: 0 } });
    const wall = await openWall(rig);
    wall.show(0);
    await eventually('the seat has a picture', () => sees(wall, 0));
    const stopped = rig.relay.components.find(({ name }) => name === 'consoles')?.stop?.();
    expect(await wall.closed).toEqual(closeOf('draining'));
    await stopped;
  });

  test.each([
    ['binary frames', Buffer.from([1]), 'viewer_protocol'],
    ['text that is no message', 'hello', 'viewer_protocol'],
    ['a message with more than it should have', '{"type":"ping","x":1}', 'viewer_protocol'],
    ['a seat that it may not show', '{"type":"show","seats":[7]}', 'viewer_protocol'],
    ['a seat that is no seat', '{"type":"show","seats":[-1]}', 'viewer_protocol'],
    ['a long message', `{"type":"show","seats":[${'0,'.repeat(2000)}0]}`, 'viewer_message_too_big'],
  ] as const)('when its page sends %s', async (_what, message, code) => {
    const { rig } = await aRoom(1);
    const wall = await openWall(rig);
    wall.socket.send(message);
    expect(await wall.closed).toEqual(closeOf(code));
    await eventually('it is counted', async () =>
      expect(await rig.metrics()).toMatch(
        new RegExp(`closes_total\\{close="${code === 'viewer_protocol' ? 'protocol' : 'too_big'}"\\} 1`),
      ),
    );
  });

  test('when its page sends too many messages', async () => {
    const { rig } = await aRoom(1);
    const wall = await openWall(rig);
    for (let i = 0; i < 200; i++) wall.socket.send('{"type":"ping"}');
    expect(await wall.closed).toEqual(closeOf('viewer_protocol'));
    expect(wall.messages.length).toBeLessThan(100);
  });
});

describe('a wall is refused', () => {
  test('without a wall grant, with a used one, and with a grant for a console', async () => {
    const { rig } = await aRoom(1);
    const token = await mintWall(rig);
    const first = await openWall(rig, {}, { token });
    for (const bad of [token, await rig.mint(), 'x'.repeat(43)])
      expect(await (await openWall(rig, {}, { token: bad })).closed).toEqual(closeOf('grant_invalid'));
    // Nor opens a wall grant a console.
    const console = rig.connect({ token: await mintWall(rig) });
    expect(await console.closed).toEqual(closeOf('grant_invalid'));
    expect(first.socket.readyState).toBe(1);
  });

  test('to pages of other origins, and then its grant stays unused', async () => {
    const { rig } = await aRoom(1);
    const token = await mintWall(rig);
    const other = await openWall(rig, {}, { token, origin: 'https://evil.example' });
    expect(await other.closed).toEqual(closeOf('origin_not_allowed'));
    expect((await openWall(rig, {}, { token })).socket.readyState).toBe(1);
  });

  test('above the limit of the relay', async () => {
    const { rig } = await aRoom(1, { limits: { wallsPerRelay: 1 } });
    await openWall(rig);
    expect(await (await openWall(rig, { sessionId: 'wall-2' })).closed).toEqual(closeOf('relay_full'));
  });
});

test('a slow browser gets fewer pictures, at most one per seat waits, and the last one is the latest', async () => {
  const { rig, guests, seats } = await aRoom(1);
  const wall = await openWall(rig, { seats });
  wall.show(0);
  await eventually('the seat has a picture', () => sees(wall, 0));
  wall.socket.pause();
  for (let change = 0; change < 4; change++) {
    guests[0]?.paint(shade(40 * change));
    await new Promise((resolve) => setTimeout(resolve, 600));
  }
  wall.socket.resume();
  await eventually('the last picture is white', async () => {
    guests[0]?.paint(shade(0xff));
    expect(await brightness(wall.pictures.at(-1))).toBeGreaterThan(200);
  });
});
