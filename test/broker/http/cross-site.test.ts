import { closeBrokers, startBroker } from '../rig.ts';
import { expectProblem, login } from './problem.ts';

afterEach(closeBrokers);

describe('a state-changing request', () => {
  const from = (headers: Record<string, string>) => ({ ...login, headers });

  test.each<[string, Record<string, string>]>([
    ['our own pages', { 'sec-fetch-site': 'same-origin' }],
    ['our own pages in an old browser', { origin: 'http://localhost:8080' }],
  ])('is allowed from %s', async (_who, headers) => {
    const rig = await startBroker();
    expect((await rig.ask('/api/v1/login', from(headers))).status).toBe(200);
  });

  test.each<[string, Record<string, string>]>([
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    [
      'another site that claims our origin',
      { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:8080' },
    ],
    ['a neighbour under the same domain', { 'sec-fetch-site': 'same-site' }],
    ['the address bar', { 'sec-fetch-site': 'none' }],
    ['another origin in an old browser', { origin: 'http://localhost:8081' }],
    ['a page without an origin', { origin: 'null' }],
    ['somewhere unsaid', {}],
  ])('is rejected from %s', async (_who, headers) => {
    const rig = await startBroker();
    const answer = await rig.ask('/api/v1/login', from(headers));
    expectProblem(answer, 'cross_site');
    expect(answer.headers['set-cookie']).toBeUndefined();
  });
});
