import { connectTokenReview } from '@porthole/broker/kubernetes/client';
import { createServiceAccountVerifier } from '@porthole/broker/sign-in/programs/service-account-verifier';
import { UnsecuredJWT } from 'jose';
import { createFakeClock } from '../../../fakes/clock.ts';
import { pointAt } from '../../../fakes/kubernetes/kube-config.ts';
import { startFakeKubernetes } from '../../../fakes/kubernetes/api-server.ts';

describe('tokens of Kubernetes service accounts', () => {
  const clock = createFakeClock();
  let kubernetes: Awaited<ReturnType<typeof startFakeKubernetes>>;
  beforeEach(async () => {
    kubernetes = await startFakeKubernetes();
  });
  afterEach(() => kubernetes.stop());

  async function check() {
    const review = await connectTokenReview((config) => pointAt(config, kubernetes.url));
    return createServiceAccountVerifier({
      config: { audience: 'porthole', allow: ['labs:grader'], impersonation: undefined },
      review,
      clock,
    });
  }
  const tokenOf = (account: string) => new UnsecuredJWT({ sub: `system:serviceaccount:${account}` }).encode();

  it('are reviewed by Kubernetes once a minute', async () => {
    const owner = await check();
    const token = tokenOf('labs:grader');
    kubernetes.knowToken(token, { username: 'system:serviceaccount:labs:grader', audiences: ['porthole'] });
    for (let time = 0; time < 5; time += 1)
      expect(await owner(token)).toMatchObject({ id: 'serviceaccount:labs:grader', name: 'labs:grader' });
    const reviews = () => kubernetes.requests.filter((line) => line.includes('tokenreviews')).length;
    expect(reviews()).toBe(1);
    clock.advance(61_000);
    kubernetes.forgetTokens();
    await expect(owner(token)).rejects.toMatchObject({ code: 'token_invalid' });
    expect(reviews()).toBe(2);
  });

  it('are rejected for another audience or an account that is not allowed', async () => {
    const owner = await check();
    const [foreign, stranger] = [tokenOf('labs:grader'), tokenOf('labs:stranger')];
    kubernetes.knowToken(foreign, { username: 'system:serviceaccount:labs:grader', audiences: ['vault'] });
    kubernetes.knowToken(stranger, {
      username: 'system:serviceaccount:labs:stranger',
      audiences: ['porthole'],
    });
    for (const token of [foreign, stranger])
      await expect(owner(token)).rejects.toMatchObject({ code: 'token_invalid' });
  });

  it('are reviewed each time while Kubernetes rejects them', async () => {
    const owner = await check();
    const token = tokenOf('labs:grader');
    for (let time = 0; time < 3; time += 1)
      await expect(owner(token)).rejects.toMatchObject({ code: 'token_invalid' });
    expect(kubernetes.requests.filter((line) => line.includes('tokenreviews'))).toHaveLength(3);
    kubernetes.knowToken(token, { username: 'system:serviceaccount:labs:grader', audiences: ['porthole'] });
    expect(await owner(token)).toMatchObject({ name: 'labs:grader' });
  });

  it('are cached for at most a thousand tokens', async () => {
    let reviews = 0;
    const owner = createServiceAccountVerifier({
      config: { audience: 'porthole', allow: ['labs:grader'], impersonation: undefined },
      review: async () => (reviews++, 'system:serviceaccount:labs:grader'),
      clock,
    });
    const token = (jti: number) =>
      new UnsecuredJWT({ sub: 'system:serviceaccount:labs:grader', jti: String(jti) }).encode();
    for (let jti = 0; jti <= 1000; jti += 1) await owner(token(jti));
    await owner(token(1));
    expect(reviews).toBe(1001);
    await owner(token(0));
    expect(reviews).toBe(1002);
  });

  it('are left to other verifiers if they are not of a service account', async () => {
    const owner = await check();
    expect(await owner(new UnsecuredJWT({ sub: 'anna' }).encode())).toBeUndefined();
    expect(await owner('nonsense')).toBeUndefined();
    expect(kubernetes.requests).toEqual([]);
  });
});
