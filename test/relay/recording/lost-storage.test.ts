import { rename } from 'node:fs/promises';
import { eventually } from '../../eventually.ts';
import { createBuiltinGuest } from '../../fakes/guests/builtin.ts';
import { problemsOf, recordsOf } from '../../shared/recording/sample-recording.ts';
import { closeOf } from '../close-codes/expect-close.ts';
import { useRelayRigs } from '../rig.ts';
import { createRecordingFolder, recorded, type RecordingFolder } from './recorded-rig.ts';

const start = useRelayRigs();
let folder: RecordingFolder;
beforeEach(async () => {
  folder = await createRecordingFolder();
});
afterEach(() => folder.remove());

const aUser = (name: string) => ({ id: name, name, groups: [] });

test('when the storage is away for good, consoles go on until the spool is full, and then do as their rules say', async () => {
  const guest = createBuiltinGuest({ name: 'lab-100', width: 320, height: 200 });
  const rig = await start({
    recordings: { ...folder.config, spool: { ...folder.config.spool, diskMiB: 4 } },
    proxmox: { guests: [{ vmid: 100, node: 'pve1', type: 'qemu', name: 'lab-100', guest, running: true }] },
  });
  // What the machine draws while it starts would take the place of the noise below.
  await eventually('the machine has started', () => guest.text().join('').includes('guest@lab-100'));
  const has = async (line: string) => (await rig.metrics()).split('\n').includes(line);
  const spooled = async () => {
    const sizes = (await rig.metrics()).matchAll(/recording_spool_bytes\{.*\} (\d+)/g);
    return Array.from(sizes, ([, bytes]) => Number(bytes)).reduce((sum, bytes) => sum + bytes, 0);
  };
  const required = await rig.open({ ...recorded(), user: aUser('required') });
  const tried = await rig.open({ ...recorded({ mode: 'try' }), user: aUser('tried') });
  const [requiredRfb, triedRfb] = [await required.rfb(), await tried.rfb()];
  await rename(folder.directory, `${folder.directory}-away`);
  // At the end of a chunk, after a minute at most. Noise fills it earlier.
  await eventually('the failure of the storage is shown', async () => {
    const shown = await has('porthole_relay_recording_state{state="failing"} 1');
    if (shown || (await spooled()) > 1_500_000) return shown;
    guest.fillNoise();
    requiredRfb.requestUpdate(false);
    await requiredRfb.nextUpdate();
    return false;
  });
  expect([required.socket.readyState, tried.socket.readyState]).toEqual([1, 1]);

  await eventually('the console that must be recorded ends', async () => {
    if (required.socket.readyState !== 1) return true;
    const before = await spooled();
    // About 190 KB for each console, which do not compress, and not faster than the thread records them.
    guest.fillNoise();
    for (const rfb of [requiredRfb, triedRfb]) rfb.requestUpdate(false);
    await Promise.all([requiredRfb.nextUpdate(), triedRfb.nextUpdate()]);
    await eventually(
      'it is in the spool',
      async () => (await spooled()) > before + 350_000 || required.socket.readyState !== 1,
      { withinMs: 10_000 },
    );
    return false;
  });
  expect(await required.closed).toEqual(closeOf('recording_stopped'));
  await eventually('the page learns that it is not recorded any more', () =>
    tried.messages.some(({ type }) => type === 'not_recorded'),
  );
  expect(tried.socket.readyState).toBe(1);
  await eventually('both have been counted', () =>
    has('porthole_relay_recording_parts_total{result="stopped"} 2'),
  );
  expect(await has('porthole_relay_recording_state{state="full"} 1')).toBe(true);
  const refused = await rig.open({ ...recorded(), user: aUser('refused') });
  // Its handshake may end with the console.
  await refused.rfb().catch(() => {});
  expect(await refused.closed).toEqual(closeOf('recording_unavailable'));

  await rename(`${folder.directory}-away`, folder.directory);
  await eventually('what was kept is stored', () => has('porthole_relay_recording_spool_objects 0'));
  tried.close();
  const last = await Promise.all(
    (await folder.recordings()).map(async (id) => {
      const items = await folder.read(id);
      expect(problemsOf(items)).toEqual([]);
      return recordsOf(items)
        .slice(-2)
        .map(({ record }) => record);
    }),
  );
  const end = { type: 'end', reason: 'recording_stopped' };
  const mark = { type: 'mark', name: 'stopped', text: 'the spool is full' };
  expect(last.map((records) => records.at(-1))).toEqual([end, end]);
  expect(last.flat().filter(({ type }) => type === 'mark')).toEqual([mark]);
});
