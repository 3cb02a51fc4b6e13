import { byToken, startCluster, type Cluster } from './test-kit.ts';

let cluster: Cluster;
afterEach(() => cluster.fake.close());

const vncproxy = '/nodes/pve1/qemu/100/vncproxy';
const json = { ...byToken, 'content-type': 'application/json' };
const form = { ...byToken, 'content-type': 'application/x-www-form-urlencoded' };

test('parameters may come as JSON', async () => {
  cluster = await startCluster();
  const reply = await cluster.call('POST', vncproxy, { headers: json, body: '{"websocket":true}' });
  expect(reply.status).toBe(200);
});

test.each([
  ['the body', vncproxy, form, 'websocket=1&websocket=1'],
  ['the query', `${vncproxy}?websocket=1&websocket=0`, form, ''],
  ['a JSON list', vncproxy, json, '{"websocket":[1,1]}'],
])('a parameter that is twice in %s is no boolean', async (_, path, headers, body) => {
  cluster = await startCluster();
  const reply = await cluster.call('POST', path, { headers, body });
  expect(reply).toMatchObject({ status: 400, reason: 'Parameter verification failed.' });
  expect(reply.json.errors).toEqual({ websocket: "type check ('boolean') failed - got ARRAY" });
});

test('a parameter of the query replaces the one of the body', async () => {
  cluster = await startCluster();
  const query = `${vncproxy}?websocket=1`;
  expect(await cluster.call('POST', query, { form: { websocket: 'banana' } })).toMatchObject({ status: 200 });
});

test('a parameter that contradicts the path is refused', async () => {
  cluster = await startCluster();
  const problem = 'duplicate parameter (already defined in URI) with conflicting values!';
  const reply = await cluster.call('POST', vncproxy, { form: { vmid: '101' } });
  expect(reply).toMatchObject({ status: 400 });
  expect(reply.json.errors).toEqual({ vmid: problem });
  expect(await cluster.call('POST', vncproxy, { form: { vmid: '100' } })).toMatchObject({ status: 200 });
});

test('a value outside an enumeration is refused with the enumeration', async () => {
  cluster = await startCluster();
  const reply = await cluster.call('GET', '/cluster/resources?type=banana');
  expect(reply).toMatchObject({ status: 400, reason: 'Parameter verification failed.' });
  expect(reply.json.errors).toEqual({
    type: "value 'banana' does not have a value in the enumeration 'vm, storage, node, sdn'",
  });
});
