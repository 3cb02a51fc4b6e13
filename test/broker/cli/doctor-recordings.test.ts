import { mkdir, readdir } from 'node:fs/promises';
import { startS3Server } from '../../fakes/s3-server.ts';
import { describeWith } from '../../needs.ts';
import { useDoctor } from './doctor-rig.ts';

const { aCluster, pathOf, runDoctor } = useDoctor();
beforeEach(async () => {
  await aCluster();
});

/** What the doctor finds besides the store, which is in memory here. */
async function findingsWith(storage: object) {
  const { found } = await runDoctor({
    redis: undefined,
    recordings: { encryptionKeys: 'r'.repeat(40), storage },
  });
  return found.flatMap(({ kind, where, what }) => (kind === 'memory_only' ? [] : [{ kind, where, what }]));
}

test('the doctor tries a directory of recordings, and leaves nothing in it', async () => {
  const directory = pathOf('recordings');
  expect(await findingsWith({ directory })).toEqual([
    { kind: 'recordings_missing', where: 'recordings', what: 'It cannot write an object: ENOENT.' },
  ]);
  await mkdir(directory);
  expect(await findingsWith({ directory })).toEqual([]);
  expect(await readdir(directory)).toEqual([]);
});

test('the doctor names rules and classes that require recordings without a storage for them', async () => {
  const rule = { who: { everyone: true }, which: { all: true }, allow: ['control'] };
  const { code, found } = await runDoctor({
    redis: undefined,
    access: [rule, { ...rule, record: 'try' }, { ...rule, name: 'exam', record: { keepDays: 30 } }],
    classes: [
      {
        name: 'networks',
        members: { groups: ['a'] },
        machines: { pools: ['a'] },
        own: { tags: ['{user}'] },
        record: 'required',
      },
    ],
  });
  expect(code).toBe(1);
  expect(found).toMatchObject([
    { kind: 'memory_only' },
    { kind: 'recordings_required', where: 'rule exam' },
    { kind: 'recordings_required', where: 'class networks' },
  ]);
});

describeWith('versitygw')('the doctor', () => {
  test('tries a bucket of recordings, and says whether it is denied, missing or unavailable', async () => {
    const server = await startS3Server();
    const { endpoint, bucket, accessKeyId, secretAccessKey } = server;
    const s3 = { endpoint: endpoint.href, bucket, accessKeyId, secretAccessKey };
    try {
      expect(await findingsWith({ s3 })).toEqual([]);
      expect(await findingsWith({ s3: { ...s3, secretAccessKey: 'another secret' } })).toMatchObject([
        { kind: 'recordings_denied', where: `bucket ${bucket}` },
      ]);
      expect(await findingsWith({ s3: { ...s3, bucket: 'none-such' } })).toMatchObject([
        { kind: 'recordings_missing', where: 'bucket none-such' },
      ]);
    } finally {
      await server.stop();
    }
    expect(await findingsWith({ s3 })).toMatchObject([{ kind: 'recordings_unavailable' }]);
  });
});
