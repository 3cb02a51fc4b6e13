import { brokerMetrics } from '@porthole/broker/metrics';
import { aCluster, closeBrokers, startBroker } from './rig.ts';

afterEach(closeBrokers);

test('events are counted, with labels from closed sets', async () => {
  const fake = await aCluster();
  const rig = await startBroker({ proxmox: [{ name: 'school', fake }] });
  const anna = await rig.signedIn('anna');
  await rig.browser().signIn('anna', 'guess');
  await anna.post('/api/v1/consoles/school/101/grants', { mode: 'view' });
  await anna.post('/api/v1/consoles/school/999/grants', { mode: 'view' });
  await rig.ask('/api/v1/made-up', { method: 'PROPFIND', headers: { 'sec-fetch-site': 'same-origin' } });
  const text = await rig.registry.metrics();
  for (const line of [
    'porthole_broker_sign_ins_total{method="local",result="ok"} 1',
    'porthole_broker_sign_ins_total{method="local",result="wrong_password"} 1',
    'porthole_broker_grants_total{result="ok"} 1',
    'porthole_broker_grants_total{result="machine_not_found"} 1',
    'porthole_broker_machine_list_refreshes_total{cluster="school",result="ok"} 1',
    'porthole_broker_http_request_duration_seconds_count{route="grants",method="POST",status="2xx"} 1',
    'porthole_broker_http_request_duration_seconds_count{route="other",method="other",status="4xx"} 1',
    'porthole_broker_sign_ins_queued 0',
    'porthole_broker_proxmox_calls_total{cluster="school",call="resources",status="200"} 1',
    'porthole_broker_proxmox_call_duration_seconds_count{cluster="school",call="resources"} 1',
    'porthole_broker_proxmox_hosts{cluster="school",state="closed"} 1',
    'porthole_broker_proxmox_hosts{cluster="school",state="open"} 0',
  ])
    expect(text).toContain(line);
  expect(text).toMatch(/porthole_broker_machine_list_age_seconds\{cluster="school"\} \d/);
  expect(text).not.toContain('made-up');
});

test('the list of metrics is what the registry has', async () => {
  const rig = await startBroker();
  // The server of the public port is common to broker and relay.
  const registered = rig.registry
    .getMetricsAsArray()
    .filter(({ name }) => !name.startsWith('porthole_http_'))
    .map(({ name, help }) => ({ name, help }));
  const listed = Object.values(brokerMetrics).map(({ name, help }) => ({ name, help }));
  expect(registered).toEqual(expect.arrayContaining(listed));
  expect(registered).toHaveLength(listed.length);
  for (const { name } of registered) expect(name).toMatch(/^porthole_broker_[a-z_]+$/);
});
