import { createKeyframeRequests } from '@porthole/relay/recording/capture-keyframes';
import { createScreenProtocol } from '@porthole/relay/rfb/screen-protocol';
import type { Keyframe } from '@porthole/relay/stream/keyframe';
import type { Link } from '@porthole/relay/stream/link';
import type { RecordingRecord } from '@porthole/shared/recording/record/record';
import { createFakeClock } from '../../fakes/clock.ts';
import { aGrant } from '../rig.ts';
import { createMemoryMachine, rawUpdate } from '../screen/memory-machine.ts';
import { createSameThreadScreen } from '../screen/same-thread.ts';
import { setEncodings, updateRequest } from '../screen/shared-screen-rig.ts';
import { defaultDeadlines } from '@porthole/relay/upstream/deadlines';

const minute = 60_000;

function requests() {
  const clock = createFakeClock();
  const records: RecordingRecord[] = [];
  const asked: ((keyframe: Keyframe) => void)[] = [];
  const onBytes = createKeyframeRequests(
    { screen() {}, terminalOutput() {}, record: (record) => void records.push(record) },
    clock,
    (onKeyframe) => void asked.push(onKeyframe),
  );
  const answer = (bytes: number) => asked.at(-1)?.({ width: 8, height: 8, bytes: new Uint8Array(bytes) });
  return { clock, records, asked, onBytes, answer };
}

test('a screen that changes much gets a keyframe each minute, and one that changes little each ten minutes', () => {
  const { clock, asked, onBytes, answer, records } = requests();
  onBytes(1_000_000);
  expect(asked).toHaveLength(0);
  clock.advance(minute);
  expect(asked).toHaveLength(0);
  onBytes(10);
  expect(asked).toHaveLength(1);
  answer(10_000);
  expect(records).toMatchObject([{ type: 'keyframe', width: 8, height: 8 }]);
  for (let minutes = 0; minutes < 9; minutes++) {
    clock.advance(minute);
    onBytes(1000);
  }
  expect(asked).toHaveLength(1);
  clock.advance(minute);
  onBytes(1000);
  expect(asked).toHaveLength(2);
  answer(10_000);
  for (let minutes = 0; minutes < 9; minutes++) {
    clock.advance(minute);
    onBytes(200_000);
  }
  expect(asked).toHaveLength(11);
});

test('a screen that stands still gets no keyframe, and one that is never answered is asked for again', () => {
  const { clock, asked, onBytes } = requests();
  clock.advance(60 * minute);
  expect(asked).toHaveLength(0);
  onBytes(1);
  onBytes(1);
  expect(asked).toHaveLength(1);
  clock.advance(minute);
  onBytes(1);
  expect(asked).toHaveLength(2);
});

test('the recording of a shared screen has a keyframe between two messages, also while the viewer reads slowly', async () => {
  const size = { width: 70, height: 20 };
  const { screen, clock } = createSameThreadScreen();
  const machine = createMemoryMachine();
  const connected = screen.connect(machine.upstream);
  machine.show(size);
  await connected;
  const { link } = screen.attach({ control: true });
  const records: RecordingRecord[] = [];
  const keep = (record: RecordingRecord) =>
    void records.push('bytes' in record ? { ...record, bytes: Buffer.from(record.bytes) } : record);
  const protocol = createScreenProtocol({
    clock,
    claims: aGrant(clock),
    upstream: { link, takeLeftover: () => Buffer.alloc(0) },
    send: () => true,
    gate: { shut: false },
    onHumanInput() {},
    onPicture() {},
    onAnswering() {},
    deadlines: defaultDeadlines,
    capture: {
      recorder: {
        screen: (source, start, end) => keep({ type: 'screen', bytes: source.subarray(start, end) }),
        terminalOutput() {},
        record: keep,
      },
      keys: false,
      clipboard: false,
    },
  });
  const forwarded: Buffer[] = [];
  link.send(Buffer.of(1));
  link.send(Buffer.concat([setEncodings(7, 0), updateRequest()]));
  const upstream: Link = protocol.upstream.link;
  upstream.setHandler({
    onBytes: (source, start, end) => void forwarded.push(Buffer.from(source.subarray(start, end))),
    onEnded() {},
  });
  const show = (colour: number) => {
    machine.link.receive(rawUpdate(size, colour));
    clock.advance(1000);
    link.send(updateRequest(true));
  };
  show(1);
  clock.advance(minute);
  show(2);
  expect(records.filter(({ type }) => type === 'keyframe')).toHaveLength(1);
  clock.advance(10 * minute);
  upstream.pause();
  show(3);
  show(4);
  upstream.resume();
  show(5);
  const types = records.map(({ type }) => type);
  expect(types.filter((type) => type === 'keyframe')).toHaveLength(2);
  // Each screen record is one message, so a keyframe is between two.
  const [serverInit, ...updates] = records.flatMap((one) => (one.type === 'screen' ? [one.bytes] : []));
  expect(updates.length).toBeGreaterThan(3);
  expect(updates.every((bytes) => bytes[0] === 0)).toBe(true);
  // The viewer does not get it.
  expect(Buffer.concat(forwarded).equals(Buffer.concat([serverInit!, ...updates]))).toBe(true);
});
